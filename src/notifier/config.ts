import { checkStaticTargets, discoveryConfigs } from "../discovery/index.ts";
import { httpClientConfig } from "../http/index.ts";
import { type NameValidationScheme } from "../model/index.ts";
import {
  anything,
  type CodecValue,
  durationMs,
  field,
  inline,
  list,
  object,
  oneOf,
  relabelConfigs,
  text,
  validateRelabelConfigs,
} from "../codec/index.ts";

const apiVersion = oneOf(
  ["v2"],
  (value) => `expected Alertmanager api version to be one of [v2] but got ${value}`,
);

/** A set of Alertmanagers: how they are found and spoken to. */
export const alertmanagerConfig = object(
  "config.AlertmanagerConfig",
  {
    httpClient: inline(httpClientConfig),
    sigv4: field("sigv4", anything),
    scheme: field("scheme", text, "http"),
    pathPrefix: field("path_prefix", text, ""),
    timeoutMs: field("timeout", durationMs, 10_000),
    apiVersion: field("api_version", apiVersion, "v2", { printAlways: true }),
    relabelConfigs: field(
      "relabel_configs",
      relabelConfigs("empty or null Alertmanager target relabeling rule"),
      [],
    ),
    alertRelabelConfigs: field(
      "alert_relabel_configs",
      relabelConfigs("empty or null Alertmanager alert relabeling rule"),
      [],
    ),
    discovery: discoveryConfigs,
  },
  (value, mapping) => {
    const { basicAuth, authorization, oauth2 } = value.httpClient;
    if (value.sigv4 !== undefined && (basicAuth || authorization || oauth2)) {
      mapping.at.fail("at most one of basic_auth, authorization, oauth2, & sigv4 must be configured");
    }
    if (value.relabelConfigs.length === 0) checkStaticTargets(value.discovery);
    return value;
  },
);
export type AlertmanagerConfig = CodecValue<typeof alertmanagerConfig>;

/** The `alerting` section. */
export const alertingConfig = object("config.plain", {
  alertRelabelConfigs: field(
    "alert_relabel_configs",
    relabelConfigs("empty or null alert relabeling rule"),
    [],
  ),
  alertmanagers: field(
    "alertmanagers",
    list(alertmanagerConfig, "empty or null Alertmanager config section"),
    [],
  ),
});
export type AlertingConfig = CodecValue<typeof alertingConfig>;

/** Checks the relabelling rules against the naming scheme of `global`. Throws `bad_data` with the rule's place. */
export function completeAlertingConfig(config: AlertingConfig, scheme: NameValidationScheme): void {
  validateRelabelConfigs(config.alertRelabelConfigs, scheme);
  for (const each of config.alertmanagers) {
    validateRelabelConfigs(each.alertRelabelConfigs, scheme);
    validateRelabelConfigs(each.relabelConfigs, scheme);
  }
}
