/** `webhook_configs`. */
import { anything, type CodecValue, field, filePath, integer, object } from "../../codec/index.ts";
import { common, exactlyOne, goDurationMs, noSecret, secretTemplateUrl } from "./codecs.ts";
import { integrationType } from "./integration-type.ts";

const codec = object(
  "webhook.plain",
  {
    ...common(true),
    url: field("url", secretTemplateUrl, noSecret),
    urlFile: field("url_file", filePath, ""),
    /** How many alerts a message lists; 0 for all. */
    maxAlerts: field("max_alerts", integer("uint"), 0),
    /** 0 leaves the notification's own deadline. */
    timeoutMs: field("timeout", goDurationMs, 0),
    payload: field("payload", anything),
  },
  (value, mapping) => {
    exactlyOne(mapping, "url", "url_file");
    return value;
  },
);

export type WebhookConfig = CodecValue<typeof codec>;

export const webhook = integrationType<WebhookConfig>({
  name: "webhook",
  codec,
  complete(config, global) {
    config.httpConfig ??= global.httpConfig;
  },
});
