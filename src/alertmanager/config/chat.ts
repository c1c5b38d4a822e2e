/** Integrations with chat systems. */
import {
  bool,
  type CodecValue,
  field,
  filePath,
  integer,
  list,
  object,
  secret,
  text,
} from "../../codec/index.ts";
import {
  common,
  exactlyOne,
  exclusive,
  fail,
  httpUrl,
  integrationType,
  noSecret,
  secretUrl,
  withSlash,
  standard,
} from "./codecs.ts";
import { attachmentField } from "./slack.ts";

const rocketchatField = object("rocketchat.RocketchatAttachmentField", {
  short: field("short", bool),
  title: field("title", text, ""),
  value: field("value", text, ""),
});

/** Its keys are the lower-cased names of upstream's struct, which has no names for YAML. */
const rocketchatAction = object("rocketchat.RocketchatAttachmentAction", {
  type: field("type", text, ""),
  text: field("text", text, ""),
  url: field("url", text, ""),
  imageUrl: field("imageurl", text, ""),
  isWebView: field("iswebview", bool, false),
  webviewHeightRatio: field("webviewheightratio", text, ""),
  msg: field("msg", text, ""),
  msgInChatWindow: field("msginchatwindow", bool, false),
  msgProcessingType: field("msgprocessingtype", text, ""),
});

const rocketchatCodec = object(
  "rocketchat.plain",
  {
    ...common(false),
    apiUrl: field("api_url", httpUrl, ""),
    tokenId: field("token_id", secret),
    tokenIdFile: field("token_id_file", filePath, ""),
    token: field("token", secret),
    tokenFile: field("token_file", filePath, ""),
    channel: field("channel", text, ""),
    color: field("color", text, `{{ if eq .Status "firing" }}red{{ else }}green{{ end }}`),
    title: field("title", text, standard("rocketchat.default.title")),
    titleLink: field("title_link", text, standard("rocketchat.default.titlelink")),
    text: field("text", text, standard("rocketchat.default.text")),
    fields: field("fields", list(rocketchatField), []),
    shortFields: field("short_fields", bool, false, { printAlways: true }),
    emoji: field("emoji", text, standard("rocketchat.default.emoji")),
    iconUrl: field("icon_url", text, standard("rocketchat.default.iconurl")),
    imageUrl: field("image_url", text, ""),
    thumbUrl: field("thumb_url", text, ""),
    linkNames: field("link_names", bool, false, { printAlways: true }),
    actions: field("actions", list(rocketchatAction), []),
  },
  (value, mapping) => {
    exclusive(mapping, "token", "token_file");
    exclusive(mapping, "token_id", "token_id_file");
    return value;
  },
);

export const rocketchat = integrationType<CodecValue<typeof rocketchatCodec>>({
  name: "rocketchat",
  codec: rocketchatCodec,
  mayBeEmpty: true,
  complete(config, global) {
    config.httpConfig ??= global.httpConfig;
    config.apiUrl ||= global.rocketchatApiUrl;
    config.tokenId ??= global.rocketchatTokenId;
    config.tokenIdFile ||= global.rocketchatTokenIdFile;
    if (config.tokenId === undefined && config.tokenIdFile === "") {
      fail(config, "no global Rocketchat TokenID set either inline or in a file");
    }
    config.token ??= global.rocketchatToken;
    config.tokenFile ||= global.rocketchatTokenFile;
    if (config.token === undefined && config.tokenFile === "") {
      fail(config, "no global Rocketchat Token set either inline or in a file");
    }
  },
});

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

const mattermostCodec = object(
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
    attachments: field(
      "attachments",
      list(object("mattermost.MattermostAttachment", mattermostAttachment)),
      [],
    ),
    type: field("type", text, ""),
    props: field("props", object("mattermost.MattermostProps", { card: field("card", text, "") })),
    priority: field(
      "priority",
      object("mattermost.MattermostPriority", {
        priority: field("priority", text, ""),
        requestedAck: field("requested_ack", bool, false),
        persistentNotifications: field("persistent_notifications", bool, false),
      }),
    ),
  },
  (value, mapping) => {
    exclusive(mapping, "webhook_url", "webhook_url_file");
    return value;
  },
);

export const mattermost = integrationType<CodecValue<typeof mattermostCodec>>({
  name: "mattermost",
  codec: mattermostCodec,
  complete(config, global) {
    config.httpConfig ??= global.httpConfig;
    if (config.webhookUrl !== undefined || config.webhookUrlFile !== "") return;
    config.webhookUrl = global.mattermostWebhookUrl;
    config.webhookUrlFile = global.mattermostWebhookUrlFile;
    if (config.webhookUrl === undefined && config.webhookUrlFile === "") {
      fail(config, "missing webhook_url or webhook_url_file on mattermost_config");
    }
  },
});

// Chats with a webhook of their own.

const webhookUrl = {
  webhookUrl: field("webhook_url", secretUrl),
  webhookUrlFile: field("webhook_url_file", filePath, ""),
};

const discordCodec = object(
  "discord.plain",
  {
    ...common(true),
    ...webhookUrl,
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

export const discord = integrationType<CodecValue<typeof discordCodec>>({
  name: "discord",
  codec: discordCodec,
  complete(config, global) {
    config.httpConfig ??= global.httpConfig;
  },
});

const msteamsCodec = object(
  "msteams.plain",
  {
    ...common(true),
    ...webhookUrl,
    title: field("title", text, standard("msteams.default.title")),
    summary: field("summary", text, standard("msteams.default.summary")),
    text: field("text", text, standard("msteams.default.text")),
  },
  (value, mapping) => {
    exactlyOne(mapping, "webhook_url", "webhook_url_file");
    return value;
  },
);

export const msteams = integrationType<CodecValue<typeof msteamsCodec>>({
  name: "msteams",
  codec: msteamsCodec,
  complete(config, global) {
    config.httpConfig ??= global.httpConfig;
  },
});

const msteamsV2Codec = object(
  "msteamsv2.plain",
  {
    ...common(true),
    ...webhookUrl,
    title: field("title", text, standard("msteamsv2.default.title")),
    text: field("text", text, standard("msteamsv2.default.text")),
  },
  (value, mapping) => {
    exactlyOne(mapping, "webhook_url", "webhook_url_file");
    return value;
  },
);

export const msteamsV2 = integrationType<CodecValue<typeof msteamsV2Codec>>({
  name: "msteamsv2",
  codec: msteamsV2Codec,
  complete(config, global) {
    const { httpConfig } = config;
    if (httpConfig === undefined) config.httpConfig = global.httpConfig;
    else if (httpConfig.proxy.proxyUrl === "") {
      const proxy = { ...httpConfig.proxy, proxyUrl: global.httpConfig.proxy.proxyUrl };
      config.httpConfig = { ...httpConfig, proxy };
    }
  },
});

const telegramCodec = object(
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

export const telegram = integrationType<CodecValue<typeof telegramCodec>>({
  name: "telegram",
  codec: telegramCodec,
  complete(config, global) {
    config.httpConfig ??= global.httpConfig;
    config.apiUrl ||= global.telegramApiUrl;
    if (config.botToken.reveal() !== "" || config.botTokenFile !== "") return;
    config.botToken = global.telegramBotToken;
    config.botTokenFile = global.telegramBotTokenFile;
    if (config.botToken.reveal() === "" && config.botTokenFile === "") {
      fail(config, "missing bot_token or bot_token_file on telegram_config");
    }
  },
});

const webexCodec = object(
  "config.plain",
  {
    ...common(true),
    apiUrl: field("api_url", httpUrl, ""),
    message: field("message", text, standard("webex.default.message")),
    roomId: field("room_id", text, ""),
  },
  (value, mapping) => {
    if (value.roomId === "") mapping.at.fail("missing room_id on webex_config");
    if (value.httpConfig?.authorization === undefined) {
      mapping.at.fail("missing webex_configs.http_config.authorization");
    }
    return value;
  },
);

export const webex = integrationType<CodecValue<typeof webexCodec>>({
  name: "webex",
  codec: webexCodec,
  complete(config, global) {
    config.apiUrl ||= global.webexApiUrl;
  },
});

const wechatCodec = object(
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

export const wechat = integrationType<CodecValue<typeof wechatCodec>>({
  name: "wechat",
  codec: wechatCodec,
  mayBeEmpty: true,
  complete(config, global) {
    config.httpConfig ??= global.httpConfig;
    config.apiUrl = withSlash(config.apiUrl || global.wechatApiUrl);
    if (config.apiSecret.reveal() === "" && config.apiSecretFile === "") {
      config.apiSecret = global.wechatApiSecret;
      config.apiSecretFile = global.wechatApiSecretFile;
      if (config.apiSecret.reveal() === "" && config.apiSecretFile === "") {
        fail(config, "no global Wechat Api Secret set either inline or in a file");
      }
    }
    config.corpId ||= global.wechatApiCorpId;
    if (config.corpId === "") fail(config, "no global Wechat CorpID set");
  },
});
