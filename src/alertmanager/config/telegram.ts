/** `telegram_configs`. */
import { bool, type CodecValue, field, filePath, integer, object, secret, text } from "../../codec/index.ts";
import { common, exclusive, httpUrl, noSecret, standard } from "./codecs.ts";
import { fail, inheritSecret, integrationType } from "./integration-type.ts";

const codec = object(
  "telegram.plain",
  {
    ...common(true),
    apiUrl: field("api_url", httpUrl, ""),
    botToken: field("bot_token", secret, noSecret),
    botTokenFile: field("bot_token_file", filePath, ""),
    chatId: field("chat_id", integer(), 0),
    chatIdFile: field("chat_id_file", filePath, ""),
    messageThreadId: field("message_thread_id", integer(), 0),
    message: field("message", text, standard("telegram.default.message")),
    disableNotifications: field("disable_notifications", bool, false),
    parseMode: field("parse_mode", text, "HTML"),
  },
  (value, mapping) => {
    exclusive(mapping, "bot_token", "bot_token_file");
    if (value.chatId === 0 && value.chatIdFile === "") {
      mapping.at.fail("missing chat_id or chat_id_file on telegram_config");
    }
    if (value.chatId !== 0 && value.chatIdFile !== "") {
      mapping.place("chat_id_file").fail("at most one of chat_id & chat_id_file must be configured");
    }
    if (!["", "Markdown", "MarkdownV2", "HTML"].includes(value.parseMode)) {
      mapping
        .place("parse_mode")
        .fail("unknown parse_mode on telegram_config, must be Markdown, MarkdownV2, HTML or empty string");
    }
    return value;
  },
);

export type TelegramConfig = CodecValue<typeof codec>;

export const telegram = integrationType<TelegramConfig>({
  name: "telegram",
  codec,
  complete(config, global) {
    config.httpConfig ??= global.httpConfig;
    config.apiUrl ||= global.telegramApiUrl;
    if (!inheritSecret(config, "botToken", global, "telegramBotToken")) {
      fail(config, "missing bot_token or bot_token_file on telegram_config");
    }
  },
});
