/** `wechat_configs`. */
import { type CodecValue, field, filePath, object, secret, text } from "../../codec/index.ts";
import { common, exclusive, httpUrl, noSecret, withSlash, standard } from "./codecs.ts";
import { fail, inheritSecret, integrationType } from "./integration-type.ts";

const codec = object(
  "config.plain",
  {
    ...common(false),
    apiSecret: field("api_secret", secret, noSecret),
    apiSecretFile: field("api_secret_file", filePath, ""),
    corpId: field("corp_id", text, ""),
    message: field("message", text, standard("wechat.default.message")),
    apiUrl: field("api_url", httpUrl, ""),
    toUser: field("to_user", text, standard("wechat.default.to_user")),
    toParty: field("to_party", text, standard("wechat.default.to_party")),
    toTag: field("to_tag", text, standard("wechat.default.to_tag")),
    agentId: field("agent_id", text, standard("wechat.default.agent_id")),
    messageType: field("message_type", text, ""),
  },
  (value, mapping) => {
    value.messageType ||= "text";
    if (!["text", "markdown"].includes(value.messageType)) {
      mapping
        .place("message_type")
        .fail(
          `weChat message type ${JSON.stringify(value.messageType)} does not match valid options ^(text|markdown)$`,
        );
    }
    exclusive(mapping, "api_secret", "api_secret_file");
    return value;
  },
);

export type WechatConfig = CodecValue<typeof codec>;

export const wechat = integrationType<WechatConfig>({
  name: "wechat",
  codec,
  mayBeEmpty: true,
  complete(config, global) {
    config.httpConfig ??= global.httpConfig;
    config.apiUrl = withSlash(config.apiUrl || global.wechatApiUrl);
    if (!inheritSecret(config, "apiSecret", global, "wechatApiSecret")) {
      fail(config, "no global Wechat Api Secret set either inline or in a file");
    }
    config.corpId ||= global.wechatApiCorpId;
    if (config.corpId === "") fail(config, "no global Wechat CorpID set");
  },
});
