/** Sends notifications by an enterprise's WeChat. */
import type { WechatConfig } from "../config/wechat.ts";
import { NotifyError } from "../notify/notifier.ts";
import { type Deliver, type Delivery, parseAnswer, withoutEmpty } from "./delivery.ts";

const tokenLifetimeMs = 2 * 3_600_000;
/** WeChat's code for a token that has expired before its time. */
const tokenExpiredCode = 42_001;

export function deliverToWechat(config: WechatConfig): Deliver {
  let token: { text: string; atMs: number } | undefined;
  return async (delivery) => {
    const { timeMs } = delivery.context;
    if (token === undefined || timeMs - token.atMs > tokenLifetimeMs)
      token = { text: await fetchToken(config, delivery), atMs: timeMs };
    const parameters = new URLSearchParams({ access_token: token.text });
    const answer = await delivery.send({
      url: `${config.apiUrl}message/send?${parameters.toString()}`,
      json: wechatMessage(config, delivery),
    });
    const { errcode, errmsg } = parseAnswer<{ errcode: number; errmsg: string }>(answer);
    if (errcode === undefined || errcode === 0) return;
    const isExpired = errcode === tokenExpiredCode;
    if (isExpired) token = undefined;
    throw new NotifyError(`error response from WeChat: ${errmsg ?? errcode}`, isExpired);
  };
}

async function fetchToken(config: WechatConfig, delivery: Delivery): Promise<string> {
  const parameters = new URLSearchParams({
    corpsecret: delivery.text(delivery.secret(config.apiSecret, config.apiSecretFile, "api_secret_file")),
    corpid: delivery.text(config.corpId),
  });
  const answer = await delivery.send({
    method: "GET",
    url: `${config.apiUrl}gettoken?${parameters.toString()}`,
  });
  const token = parseAnswer<{ access_token: string }>(answer).access_token;
  if (!token) throw new NotifyError(`invalid APISecret for CorpID: ${config.corpId}`, false, "authError");
  return token;
}

function wechatMessage(config: WechatConfig, { text }: Delivery): object {
  const content = { content: text(config.message) };
  const none = { content: "" };
  const isMarkdown = config.messageType === "markdown";
  return {
    text: isMarkdown ? none : content,
    ...withoutEmpty({
      touser: text(config.toUser),
      toparty: text(config.toParty),
      totag: text(config.toTag),
      agentid: text(config.agentId),
    }),
    safe: "0",
    msgtype: config.messageType,
    markdown: isMarkdown ? content : none,
  };
}
