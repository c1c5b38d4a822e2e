/** `pushover_configs`. */
import { bool, type CodecValue, field, filePath, object, secret, text } from "../../codec/index.ts";
import { common, exactlyOne, goDurationMs, noSecret, standard } from "./codecs.ts";
import { integrationType } from "./integration-type.ts";

const codec = object(
  "pushover.plain",
  {
    ...common(true),
    userKey: field("user_key", secret, noSecret),
    userKeyFile: field("user_key_file", filePath, ""),
    token: field("token", secret, noSecret),
    tokenFile: field("token_file", filePath, ""),
    title: field("title", text, standard("pushover.default.title")),
    message: field("message", text, standard("pushover.default.message")),
    url: field("url", text, standard("pushover.default.url")),
    urlTitle: field("url_title", text, ""),
    device: field("device", text, ""),
    sound: field("sound", text, ""),
    priority: field("priority", text, `{{ if eq .Status "firing" }}2{{ else }}0{{ end }}`),
    retryMs: field("retry", goDurationMs, 60_000),
    expireMs: field("expire", goDurationMs, 3_600_000),
    ttlMs: field("ttl", goDurationMs, 0),
    html: field("html", bool, false),
    monospace: field("monospace", bool, false),
  },
  (value, mapping) => {
    exactlyOne(mapping, "user_key", "user_key_file");
    exactlyOne(mapping, "token", "token_file");
    if (value.html && value.monospace) mapping.at.fail("at most one of monospace & html must be configured");
    return value;
  },
);

export type PushoverConfig = CodecValue<typeof codec>;

export const pushover = integrationType<PushoverConfig>({
  name: "pushover",
  codec,
  complete(config, global) {
    config.httpConfig ??= global.httpConfig;
  },
});
