/** `msteams_configs` and `msteamsv2_configs`. */
import { type CodecValue, field, filePath, object, text } from "../../codec/index.ts";
import { common, exactlyOne, secretUrl, standard } from "./codecs.ts";
import { integrationType } from "./integration-type.ts";

const msteamsCodec = object(
  "msteams.plain",
  {
    ...common(true),
    webhookUrl: field("webhook_url", secretUrl),
    webhookUrlFile: field("webhook_url_file", filePath, ""),
    title: field("title", text, standard("msteams.default.title")),
    summary: field("summary", text, standard("msteams.default.summary")),
    text: field("text", text, standard("msteams.default.text")),
  },
  (value, mapping) => {
    exactlyOne(mapping, "webhook_url", "webhook_url_file");
    return value;
  },
);

export type MsteamsConfig = CodecValue<typeof msteamsCodec>;

export const msteams = integrationType<MsteamsConfig>({
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
    webhookUrl: field("webhook_url", secretUrl),
    webhookUrlFile: field("webhook_url_file", filePath, ""),
    title: field("title", text, standard("msteamsv2.default.title")),
    text: field("text", text, standard("msteamsv2.default.text")),
  },
  (value, mapping) => {
    exactlyOne(mapping, "webhook_url", "webhook_url_file");
    return value;
  },
);

export type MsteamsV2Config = CodecValue<typeof msteamsV2Codec>;

export const msteamsV2 = integrationType<MsteamsV2Config>({
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
