/** `opsgenie_configs`. */
import {
  bool,
  type CodecValue,
  field,
  filePath,
  list,
  mapOf,
  object,
  secret,
  text,
} from "../../codec/index.ts";
import { common, exclusive, httpUrl, isTemplated, noSecret, withSlash, standard } from "./codecs.ts";
import { fail, inheritSecret, integrationType } from "./integration-type.ts";

const opsgenieResponder = object(
  "opsgenie.OpsGenieConfigResponder",
  {
    id: field("id", text, ""),
    name: field("name", text, ""),
    username: field("username", text, ""),
    type: field("type", text, ""),
  },
  (value, mapping) => {
    const shown = `{${value.id} ${value.name} ${value.username} ${value.type}}`;
    if (value.id === "" && value.username === "" && value.name === "") {
      mapping.at.fail(
        `opsGenieConfig responder ${shown} has to have at least one of id, username or name specified`,
      );
    }
    let templated: boolean;
    try {
      templated = isTemplated(value.type);
    } catch (error) {
      return mapping
        .place("type")
        .fail(
          `opsGenieConfig responder ${shown} type contains invalid template syntax: ${(error as Error).message}`,
        );
    }
    if (
      !templated &&
      !["team", "teams", "user", "escalation", "schedule"].includes(value.type.toLowerCase())
    ) {
      mapping
        .place("type")
        .fail(
          `opsGenieConfig responder ${shown} type does not match valid options ^(team|teams|user|escalation|schedule)$`,
        );
    }
    return value;
  },
);

const codec = object(
  "opsgenie.plain",
  {
    ...common(true),
    apiKey: field("api_key", secret, noSecret),
    apiKeyFile: field("api_key_file", filePath, ""),
    apiUrl: field("api_url", httpUrl, ""),
    message: field("message", text, standard("opsgenie.default.message")),
    description: field("description", text, standard("opsgenie.default.description")),
    source: field("source", text, standard("opsgenie.default.source")),
    details: field("details", mapOf(text), new Map<string, string>()),
    entity: field("entity", text, ""),
    responders: field("responders", list(opsgenieResponder), []),
    actions: field("actions", text, ""),
    tags: field("tags", text, ""),
    note: field("note", text, ""),
    priority: field("priority", text, ""),
    updateAlerts: field("update_alerts", bool, false),
  },
  (value, mapping) => {
    exclusive(mapping, "api_key", "api_key_file");
    return value;
  },
);

export type OpsgenieConfig = CodecValue<typeof codec>;

export const opsgenie = integrationType<OpsgenieConfig>({
  name: "opsgenie",
  codec,
  mayBeEmpty: true,
  complete(config, global) {
    config.httpConfig ??= global.httpConfig;
    config.apiUrl = withSlash(config.apiUrl || global.opsgenieApiUrl);
    if (!inheritSecret(config, "apiKey", global, "opsgenieApiKey")) {
      fail(config, "no global OpsGenie API Key set either inline or in a file");
    }
  },
});
