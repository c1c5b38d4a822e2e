/** `discord_configs`. */
import { type CodecValue, field, filePath, object, text } from "../../codec/index.ts";
import { common, exactlyOne, secretUrl, standard } from "./codecs.ts";
import { integrationType } from "./integration-type.ts";

const codec = object(
  "discord.plain",
  {
    ...common(true),
    webhookUrl: field("webhook_url", secretUrl),
    webhookUrlFile: field("webhook_url_file", filePath, ""),
    content: field("content", text, ""),
    title: field("title", text, standard("discord.default.title")),
    message: field("message", text, standard("discord.default.message")),
    username: field("username", text, ""),
    avatarUrl: field("avatar_url", text, ""),
  },
  (value, mapping) => {
    exactlyOne(mapping, "webhook_url", "webhook_url_file");
    return value;
  },
);

export type DiscordConfig = CodecValue<typeof codec>;

export const discord = integrationType<DiscordConfig>({
  name: "discord",
  codec,
  complete(config, global) {
    config.httpConfig ??= global.httpConfig;
  },
});
