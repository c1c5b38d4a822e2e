/** `mattermost_configs`. */
import { bool, type CodecValue, field, filePath, list, object, text } from "../../codec/index.ts";
import { common, exclusive, secretUrl, standard } from "./codecs.ts";
import { fail, inheritSecret, integrationType } from "./integration-type.ts";
import { attachmentField } from "./slack.ts";

const mattermostAttachment = {
  fallback: field("fallback", text, ""),
  color: field("color", text, ""),
  pretext: field("pretext", text, ""),
  text: field("text", text, ""),
  authorName: field("author_name", text, ""),
  authorLink: field("author_link", text, ""),
  authorIcon: field("author_icon", text, ""),
  title: field("title", text, ""),
  titleLink: field("title_link", text, ""),
  fields: field("fields", list(attachmentField("Mattermost")), []),
  thumbUrl: field("thumb_url", text, ""),
  footer: field("footer", text, ""),
  footerIcon: field("footer_icon", text, ""),
  imageUrl: field("image_url", text, ""),
};

const attachment = object("mattermost.MattermostAttachment", mattermostAttachment);

const props = object("mattermost.MattermostProps", { card: field("card", text, "") });

const priority = object("mattermost.MattermostPriority", {
  priority: field("priority", text, ""),
  requestedAck: field("requested_ack", bool, false),
  persistentNotifications: field("persistent_notifications", bool, false),
});

const codec = object(
  "mattermost.plain",
  {
    ...common(true),
    ...mattermostAttachment,
    webhookUrl: field("webhook_url", secretUrl),
    webhookUrlFile: field("webhook_url_file", filePath, ""),
    channel: field("channel", text, ""),
    username: field("username", text, standard("mattermost.default.username")),
    text: field("text", text, standard("mattermost.default.text")),
    fallback: field("fallback", text, standard("mattermost.default.fallback")),
    color: field("color", text, standard("mattermost.default.color")),
    title: field("title", text, standard("mattermost.default.title")),
    titleLink: field("title_link", text, standard("mattermost.default.titlelink")),
    iconUrl: field("icon_url", text, ""),
    iconEmoji: field("icon_emoji", text, ""),
    attachments: field("attachments", list(attachment), []),
    type: field("type", text, ""),
    props: field("props", props),
    priority: field("priority", priority),
  },
  (value, mapping) => {
    exclusive(mapping, "webhook_url", "webhook_url_file");
    return value;
  },
);

export type MattermostConfig = CodecValue<typeof codec>;

export const mattermost = integrationType<MattermostConfig>({
  name: "mattermost",
  codec,
  complete(config, global) {
    config.httpConfig ??= global.httpConfig;
    if (!inheritSecret(config, "webhookUrl", global, "mattermostWebhookUrl")) {
      fail(config, "missing webhook_url or webhook_url_file on mattermost_config");
    }
  },
});
