/** Posts notifications to a Slack channel, by an incoming webhook or with an app's token. */
import type { SlackConfig } from "../config/slack.ts";
import { hasSecret } from "../config/integration-type.ts";
import { NotifyError } from "../notify/notifier.ts";
import type { ReceiverData } from "../notification-log.ts";
import { type Answer, type Deliver, type Delivery, parseAnswer, withoutEmpty } from "./delivery.ts";

const titleCharactersMax = 1024;
const updateUrl = "https://slack.com/api/chat.update";

export function deliverToSlack(config: SlackConfig): Deliver {
  return async (delivery) => {
    const message = slackMessage(config, delivery);
    const previous = config.updateMessage ? sentMessage(delivery) : undefined;
    const token = hasSecret(config, "appToken")
      ? delivery.secret(config.appToken, config.appTokenFile, "app_token_file")
      : "";
    const url =
      token === "" ? delivery.secret(config.apiUrl, config.apiUrlFile, "api_url_file") : config.appUrl;
    const answer = await inChannel(message.channel, () =>
      delivery.send({
        url: previous === undefined ? url : updateUrl,
        json: { ...message, ...previous },
        timeoutMs: config.timeoutMs,
        ...(token !== "" && { credentials: ["Authorization", `Bearer ${token}`] }),
      }),
    );
    return inChannel(message.channel, () => readAnswer(answer, config.updateMessage));
  };
}

function slackMessage(config: SlackConfig, delivery: Delivery) {
  const { text } = delivery;
  const attachment = {
    ...withoutEmpty({
      title: delivery.limit(text(config.title), titleCharactersMax, "title"),
      title_link: text(config.titleLink),
      pretext: text(config.pretext),
    }),
    text: text(config.text),
    fallback: text(config.fallback),
    callback_id: text(config.callbackId),
    ...withoutEmpty({
      fields: config.fields.map(({ title, value, short }) => ({
        title: text(title),
        value: text(value),
        short: short ?? config.shortFields,
      })),
      actions: config.actions.map((action) => slackAction(action, text)),
      image_url: text(config.imageUrl),
      thumb_url: text(config.thumbUrl),
    }),
    footer: text(config.footer),
    ...withoutEmpty({ color: text(config.color) }),
    mrkdwn_in: config.mrkdwnIn.length > 0 ? config.mrkdwnIn : ["fallback", "pretext", "text"],
  };
  return {
    ...withoutEmpty({
      channel: text(config.channel),
      username: text(config.username),
      icon_emoji: text(config.iconEmoji),
      icon_url: text(config.iconUrl),
      link_names: config.linkNames,
      text: text(config.messageText),
    }),
    attachments: [attachment],
  };
}

function slackAction(
  { confirm, ...action }: SlackConfig["actions"][number],
  text: (source: string) => string,
) {
  const texts = Object.entries(action).map(([name, source]) => [name, text(source)]);
  const confirmation = confirm && {
    text: text(confirm.text),
    ...withoutEmpty({
      title: text(confirm.title),
      ok_text: text(confirm.okText),
      dismiss_text: text(confirm.dismissText),
    }),
  };
  return withoutEmpty({ ...(Object.fromEntries(texts) as Record<string, string>), confirm: confirmation });
}

/** Where the group's last message stands. */
function sentMessage({ context }: Delivery): { ts: string; channel: string } | undefined {
  const [ts, channel] = [context.previousData.get("threadTs"), context.previousData.get("channelId")];
  return typeof ts === "string" && typeof channel === "string" ? { ts, channel } : undefined;
}

/** Incoming webhooks answer "ok"; the API answers with JSON. Either may say no with status 200. */
function readAnswer(answer: Answer, keepsMessage: boolean): ReceiverData | undefined {
  if (!answer.isJson) {
    if (answer.body === "ok") return undefined;
    throw refusal(answer.body);
  }
  const { ok, error, ts, channel } = parseAnswer<{ ok: boolean; error: string; ts: string; channel: string }>(
    answer,
  );
  if (ok !== true) throw refusal(error ?? "");
  if (!keepsMessage || !ts || !channel) return undefined;
  return new Map([
    ["threadTs", ts],
    ["channelId", channel],
  ]);
}

function refusal(reason: string): NotifyError {
  return new NotifyError(`error response from Slack: ${reason}`, false, "clientError");
}

/** Says in an error which channel it was about. */
export async function inChannel<T>(channel: string | undefined, action: () => T | Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (!(error instanceof NotifyError)) throw error;
    const message = `channel ${JSON.stringify(channel ?? "")}: ${error.message}`;
    throw new NotifyError(message, error.retry, error.reason, { cause: error });
  }
}
