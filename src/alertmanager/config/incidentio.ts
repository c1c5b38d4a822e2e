/** `incidentio_configs`. */
import { type CodecValue, field, filePath, integer, object, secret } from "../../codec/index.ts";
import { common, exactlyOne, exclusive, goDurationMs, httpUrl, noSecret } from "./codecs.ts";
import { integrationType } from "./integration-type.ts";

const codec = object(
  "incidentio.plain",
  {
    ...common(true),
    url: field("url", httpUrl),
    urlFile: field("url_file", filePath, ""),
    alertSourceToken: field("alert_source_token", secret, noSecret),
    alertSourceTokenFile: field("alert_source_token_file", filePath, ""),
    maxAlerts: field("max_alerts", integer("uint"), 0),
    timeoutMs: field("timeout", goDurationMs, 0),
  },
  (value, mapping) => {
    exactlyOne(mapping, "url", "url_file");
    exclusive(mapping, "alert_source_token", "alert_source_token_file");
    const token = value.alertSourceToken.reveal() !== "" || value.alertSourceTokenFile !== "";
    const http = value.httpConfig;
    if (http?.authorization !== undefined && token) {
      mapping.at.fail(
        "cannot specify alert_source_token or alert_source_token_file when using http_config.authorization",
      );
    }
    if (http !== undefined && http.authorization === undefined && !token) {
      mapping.at.fail(
        "at least one of alert_source_token, alert_source_token_file or http_config.authorization must be configured",
      );
    }
    return value;
  },
);

export type IncidentioConfig = CodecValue<typeof codec>;

export const incidentio = integrationType<IncidentioConfig>({
  name: "incidentio",
  codec,
  complete(config, global) {
    config.httpConfig ??= global.httpConfig;
  },
});
