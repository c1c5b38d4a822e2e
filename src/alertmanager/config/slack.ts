/** `slack_configs`, and the fields of attachments that other chats took over from it. */
import { bool, type CodecValue, field, filePath, list, object, secret, text } from "../../codec/index.ts";
import { common, exclusive, goDurationMs, httpUrl, noSecret, secretUrl, standard } from "./codecs.ts";
import { fail, hasSecret, inheritSecret, integrationType } from "./integration-type.ts";

/** A field of an attachment: both texts are needed. */
export const attachmentField = (system: string) =>
  object(
    "config.plain",
    { title: field("title", text, ""), value: field("value", text, ""), short: field("short", bool) },
    (value, mapping) => {
      if (value.title === "") mapping.at.fail(`missing title in ${system} field configuration`);
      if (value.value === "") mapping.at.fail(`missing value in ${system} field configuration`);
      return value;
    },
  );

const slackConfirmation = object(
  "config.plain",
  {
    text: field("text", text, ""),
    title: field("title", text, ""),
    okText: field("ok_text", text, ""),
    dismissText: field("dismiss_text", text, ""),
  },
  (value, mapping) => {
    if (value.text === "") mapping.at.fail("missing text in Slack confirmation configuration");
    return value;
  },
);

const slackAction = object(
  "config.plain",
  {
    type: field("type", text, ""),
    text: field("text", text, ""),
    url: field("url", text, ""),
    style: field("style", text, ""),
    name: field("name", text, ""),
    value: field("value", text, ""),
    confirm: field("confirm", slackConfirmation),
  },
  (value, mapping) => {
    if (value.type === "") mapping.at.fail("missing type in Slack action configuration");
    if (value.text === "") mapping.at.fail("missing text in Slack action configuration");
    if (value.url !== "") return { ...value, name: "", value: "", confirm: undefined };
    if (value.name === "") mapping.at.fail("missing name or url in Slack action configuration");
    return value;
  },
);

const slackCodec = object(
  "config.plain",
  {
    ...common(false),
    apiUrl: field("api_url", secretUrl),
    apiUrlFile: field("api_url_file", filePath, ""),
    appToken: field("app_token", secret, noSecret),
    appTokenFile: field("app_token_file", filePath, ""),
    appUrl: field("app_url", httpUrl, ""),
    channel: field("channel", text, ""),
    username: field("username", text, standard("slack.default.username")),
    color: field("color", text, standard("slack.default.color")),
    title: field("title", text, standard("slack.default.title")),
    titleLink: field("title_link", text, standard("slack.default.titlelink")),
    pretext: field("pretext", text, standard("slack.default.pretext")),
    text: field("text", text, standard("slack.default.text")),
    messageText: field("message_text", text, ""),
    fields: field("fields", list(attachmentField("Slack")), []),
    shortFields: field("short_fields", bool, false, { printAlways: true }),
    footer: field("footer", text, standard("slack.default.footer")),
    fallback: field("fallback", text, standard("slack.default.fallback")),
    callbackId: field("callback_id", text, standard("slack.default.callbackid")),
    iconEmoji: field("icon_emoji", text, standard("slack.default.iconemoji")),
    iconUrl: field("icon_url", text, standard("slack.default.iconurl")),
    imageUrl: field("image_url", text, ""),
    thumbUrl: field("thumb_url", text, ""),
    linkNames: field("link_names", bool, false, { printAlways: true }),
    mrkdwnIn: field("mrkdwn_in", list(text), []),
    actions: field("actions", list(slackAction), []),
    updateMessage: field("update_message", bool, false, { printAlways: true }),
    timeoutMs: field("timeout", goDurationMs, 0),
  },
  (value, mapping) => {
    exclusive(mapping, "api_url", "api_url_file");
    exclusive(mapping, "app_token", "app_token_file");
    if (hasSecret(value, "apiUrl") && hasSecret(value, "appToken")) {
      mapping.at.fail("at most one of api_url/api_url_file & app_token/app_token_file must be configured");
    }
    if (value.updateMessage && value.apiUrl?.reveal() !== "https://slack.com/api/chat.postMessage") {
      mapping
        .place("update_message")
        .fail(
          "update_message can only be used with bot tokens. api_url must be set to https://slack.com/api/chat.postMessage",
        );
    }
    return value;
  },
);

export type SlackConfig = CodecValue<typeof slackCodec>;

export const slack = integrationType<SlackConfig>({
  name: "slack",
  codec: slackCodec,
  mayBeEmpty: true,
  complete(config, global) {
    config.appUrl ||= global.slackAppUrl;
    // A receiver that brings its own authorization or URL does not want the shared token.
    const token =
      config.httpConfig?.authorization === undefined && config.apiUrl === undefined
        ? inheritSecret(config, "appToken", global, "slackAppToken")
        : hasSecret(config, "appToken");
    if (!inheritSecret(config, "apiUrl", global, "slackApiUrl") && !token) {
      fail(config, "no Slack API URL nor App token set either inline or in a file");
    }
    config.httpConfig ??= { ...global.httpConfig };
    if (token && config.httpConfig.authorization !== undefined) {
      fail(config, "http authorization can't be set when using Slack App tokens");
    }
  },
});
