/** `pagerduty_configs`. */
import {
  anything,
  type CodecValue,
  field,
  filePath,
  list,
  mapOf,
  object,
  secret,
  text,
} from "../../codec/index.ts";
import { common, exclusive, goDurationMs, httpUrl, noSecret, standard } from "./codecs.ts";
import { integrationType } from "./integration-type.ts";

const pagerdutyDetails: readonly (readonly [string, string])[] = [
  ["firing", "{{ .Alerts.Firing | toJson }}"],
  ["resolved", "{{ .Alerts.Resolved | toJson }}"],
  ["num_firing", "{{ .Alerts.Firing | len }}"],
  ["num_resolved", "{{ .Alerts.Resolved | len }}"],
];

const codec = object(
  "pagerduty.plain",
  {
    ...common(true),
    serviceKey: field("service_key", secret, noSecret),
    serviceKeyFile: field("service_key_file", filePath, ""),
    routingKey: field("routing_key", secret, noSecret),
    routingKeyFile: field("routing_key_file", filePath, ""),
    url: field("url", httpUrl, ""),
    client: field("client", text, standard("pagerduty.default.client")),
    clientUrl: field("client_url", text, standard("pagerduty.default.clientURL")),
    description: field("description", text, standard("pagerduty.default.description")),
    details: field("details", mapOf(anything), new Map<string, unknown>()),
    images: field(
      "images",
      list(
        object("pagerduty.PagerdutyImage", {
          src: field("src", text, ""),
          alt: field("alt", text, ""),
          href: field("href", text, ""),
        }),
      ),
      [],
    ),
    links: field(
      "links",
      list(
        object("pagerduty.PagerdutyLink", { href: field("href", text, ""), text: field("text", text, "") }),
      ),
      [],
    ),
    source: field("source", text, ""),
    severity: field("severity", text, ""),
    class: field("class", text, ""),
    component: field("component", text, ""),
    group: field("group", text, ""),
    timeoutMs: field("timeout", goDurationMs, 0),
  },
  (value, mapping) => {
    const keys = ["routing_key", "service_key", "routing_key_file", "service_key_file"];
    if (!keys.some((key) => mapping.get(key)?.scalar()?.text)) {
      mapping.at.fail("missing service or routing key in PagerDuty config");
    }
    exclusive(mapping, "routing_key", "routing_key_file");
    exclusive(mapping, "service_key", "service_key_file");
    value.source ||= value.client;
    return { ...value, details: new Map([...pagerdutyDetails, ...value.details]) };
  },
);

export type PagerdutyConfig = CodecValue<typeof codec>;

export const pagerduty = integrationType<PagerdutyConfig>({
  name: "pagerduty",
  codec,
  complete(config, global) {
    config.httpConfig ??= global.httpConfig;
    config.url ||= global.pagerdutyUrl;
  },
});
