/** `victorops_configs`. */
import { type CodecValue, field, filePath, mapOf, object, secret, text } from "../../codec/index.ts";
import { common, exclusive, httpUrl, noSecret, withSlash, standard } from "./codecs.ts";
import { fail, inheritSecret, integrationType } from "./integration-type.ts";

const victoropsReserved = [
  "routing_key",
  "message_type",
  "state_message",
  "entity_display_name",
  "monitoring_tool",
  "entity_id",
  "entity_state",
];

const codec = object(
  "config.plain",
  {
    ...common(true),
    apiKey: field("api_key", secret, noSecret),
    apiKeyFile: field("api_key_file", filePath, ""),
    apiUrl: field("api_url", httpUrl, ""),
    routingKey: field("routing_key", text, ""),
    messageType: field("message_type", text, "CRITICAL"),
    stateMessage: field("state_message", text, standard("victorops.default.state_message")),
    entityDisplayName: field("entity_display_name", text, standard("victorops.default.entity_display_name")),
    monitoringTool: field("monitoring_tool", text, standard("victorops.default.monitoring_tool")),
    customFields: field("custom_fields", mapOf(text), new Map<string, string>()),
  },
  (value, mapping) => {
    if (value.routingKey === "") mapping.at.fail("missing Routing key in VictorOps config");
    exclusive(mapping, "api_key", "api_key_file");
    const taken = victoropsReserved.find((name) => value.customFields.has(name));
    if (taken !== undefined) {
      mapping
        .place("custom_fields")
        .fail(
          `victorOps config contains custom field ${taken} which cannot be used as it conflicts with the fixed/static fields`,
        );
    }
    return value;
  },
);

export type VictoropsConfig = CodecValue<typeof codec>;

export const victorops = integrationType<VictoropsConfig>({
  name: "victorops",
  codec,
  complete(config, global) {
    config.httpConfig ??= global.httpConfig;
    config.apiUrl = withSlash(config.apiUrl || global.victoropsApiUrl);
    if (!inheritSecret(config, "apiKey", global, "victoropsApiKey")) {
      fail(config, "no global VictorOps API Key set");
    }
  },
});
