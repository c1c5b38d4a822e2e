/** `rocketchat_configs`. */
import { bool, type CodecValue, field, filePath, list, object, secret, text } from "../../codec/index.ts";
import { common, exclusive, httpUrl, standard } from "./codecs.ts";
import { fail, inheritSecret, integrationType } from "./integration-type.ts";

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

const codec = object(
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

export type RocketchatConfig = CodecValue<typeof codec>;

export const rocketchat = integrationType<RocketchatConfig>({
  name: "rocketchat",
  codec,
  mayBeEmpty: true,
  complete(config, global) {
    config.httpConfig ??= global.httpConfig;
    config.apiUrl ||= global.rocketchatApiUrl;
    if (!inheritSecret(config, "tokenId", global, "rocketchatTokenId")) {
      fail(config, "no global Rocketchat TokenID set either inline or in a file");
    }
    if (!inheritSecret(config, "token", global, "rocketchatToken")) {
      fail(config, "no global Rocketchat Token set either inline or in a file");
    }
  },
});
