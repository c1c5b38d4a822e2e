/** Integrations with systems that page people or track incidents. */
import {
  anything,
  bool,
  type Codec,
  type CodecValue,
  durationMs,
  field,
  filePath,
  integer,
  list,
  mapOf,
  object,
  secret,
  section,
  text,
} from "../../codec/index.ts";
import {
  common,
  exactlyOne,
  exclusive,
  fail,
  goDurationMs,
  httpUrl,
  integrationType,
  isTemplated,
  noSecret,
  standard,
  withSlash,
} from "./codecs.ts";

const pagerdutyDetails: readonly (readonly [string, string])[] = [
  ["firing", "{{ .Alerts.Firing | toJson }}"],
  ["resolved", "{{ .Alerts.Resolved | toJson }}"],
  ["num_firing", "{{ .Alerts.Firing | len }}"],
  ["num_resolved", "{{ .Alerts.Resolved | len }}"],
];

const pagerdutyCodec = object(
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

export const pagerduty = integrationType<CodecValue<typeof pagerdutyCodec>>({
  name: "pagerduty",
  codec: pagerdutyCodec,
  complete(config, global) {
    config.httpConfig ??= global.httpConfig;
    config.url ||= global.pagerdutyUrl;
  },
});

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

const opsgenieCodec = object(
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

export const opsgenie = integrationType<CodecValue<typeof opsgenieCodec>>({
  name: "opsgenie",
  codec: opsgenieCodec,
  mayBeEmpty: true,
  complete(config, global) {
    config.httpConfig ??= global.httpConfig;
    config.apiUrl = withSlash(config.apiUrl || global.opsgenieApiUrl);
    if (config.apiKey.reveal() === "" && config.apiKeyFile === "") {
      config.apiKey = global.opsgenieApiKey;
      config.apiKeyFile = global.opsgenieApiKeyFile;
    }
    if (config.apiKey.reveal() === "" && config.apiKeyFile === "") {
      fail(config, "no global OpsGenie API Key set either inline or in a file");
    }
  },
});

const victoropsReserved = [
  "routing_key",
  "message_type",
  "state_message",
  "entity_display_name",
  "monitoring_tool",
  "entity_id",
  "entity_state",
];

const victoropsCodec = object(
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

export const victorops = integrationType<CodecValue<typeof victoropsCodec>>({
  name: "victorops",
  codec: victoropsCodec,
  complete(config, global) {
    config.httpConfig ??= global.httpConfig;
    config.apiUrl = withSlash(config.apiUrl || global.victoropsApiUrl);
    if (config.apiKey.reveal() === "" && config.apiKeyFile === "") {
      config.apiKey = global.victoropsApiKey;
      config.apiKeyFile = global.victoropsApiKeyFile;
    }
    if (config.apiKey.reveal() === "" && config.apiKeyFile === "")
      fail(config, "no global VictorOps API Key set");
  },
});

const pushoverCodec = object(
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

export const pushover = integrationType<CodecValue<typeof pushoverCodec>>({
  name: "pushover",
  codec: pushoverCodec,
  complete(config, global) {
    config.httpConfig ??= global.httpConfig;
  },
});

const sigv4 = object("sigv4.SigV4Config", {
  region: field("region", text, ""),
  accessKey: field("access_key", text, ""),
  secretKey: field("secret_key", secret, noSecret),
  profile: field("profile", text, ""),
  roleArn: field("role_arn", text, ""),
  externalId: field("external_id", text, ""),
  useFipsStsEndpoint: field("use_fips_sts_endpoint", bool, false),
  serviceName: field("service_name", text, ""),
});

const snsCodec = object(
  "sns.plain",
  {
    ...common(true),
    apiUrl: field("api_url", text, ""),
    sigv4: section("sigv4", sigv4),
    topicArn: field("topic_arn", text, ""),
    phoneNumber: field("phone_number", text, ""),
    targetArn: field("target_arn", text, ""),
    subject: field("subject", text, standard("sns.default.subject")),
    message: field("message", text, standard("sns.default.message")),
    attributes: field("attributes", mapOf(text), new Map<string, string>()),
    useAwsHttpClient: field("use_aws_http_client", bool, false),
  },
  (value, mapping) => {
    const targets = [value.topicArn, value.phoneNumber, value.targetArn].filter((target) => target !== "");
    if (targets.length !== 1) {
      mapping.at.fail("must provide either a Target ARN, Topic ARN, or Phone Number for SNS config");
    }
    return value;
  },
);

export const sns = integrationType<CodecValue<typeof snsCodec>>({
  name: "sns",
  codec: snsCodec,
  complete(config, global) {
    config.httpConfig ??= global.httpConfig;
  },
});

interface JiraText {
  readonly template: string;
  /** Whether an issue that exists gets the new text. */
  readonly enableUpdate: boolean;
}

const jiraTextObject = object("jira.plain", {
  template: field("template", text, ""),
  enableUpdate: field("enable_update", bool, true),
});

/** A text, or a mapping that also says whether to update it. */
const jiraText: Codec<JiraText> = {
  decode: (at) =>
    at.entries() === undefined
      ? { template: text.decode(at), enableUpdate: true }
      : jiraTextObject.decode(at),
  encode: (value) => (value.enableUpdate ? value.template : jiraTextObject.encode({ ...value })),
};

const jiraCodec = object(
  "jira.plain",
  {
    ...common(true),
    apiUrl: field("api_url", httpUrl),
    apiType: field("api_type", text, "auto"),
    project: field("project", text, ""),
    summary: field("summary", jiraText, { template: standard("jira.default.summary"), enableUpdate: true }),
    description: field("description", jiraText, {
      template: standard("jira.default.description"),
      enableUpdate: true,
    }),
    labels: field("labels", list(text), []),
    priority: field("priority", text, standard("jira.default.priority")),
    issueType: field("issue_type", text, ""),
    reopenTransition: field("reopen_transition", text, ""),
    resolveTransition: field("resolve_transition", text, ""),
    wontFixResolution: field("wont_fix_resolution", text, ""),
    reopenDurationMs: field("reopen_duration", durationMs, 0),
    fields: field("fields", mapOf(anything), new Map<string, unknown>()),
  },
  (value, mapping) => {
    if (value.project === "") mapping.at.fail("missing project in jira_config");
    if (value.issueType === "") mapping.at.fail("missing issue_type in jira_config");
    if (!["auto", "cloud", "datacenter"].includes(value.apiType)) {
      mapping.place("api_type").fail("unknown api_type on jira_config, must be auto, cloud or datacenter");
    }
    return value;
  },
);

export const jira = integrationType<CodecValue<typeof jiraCodec>>({
  name: "jira",
  codec: jiraCodec,
  complete(config, global) {
    config.httpConfig ??= global.httpConfig;
    config.apiUrl ??= global.jiraApiUrl;
    if (config.apiUrl === undefined) fail(config, "no global Jira Cloud URL set");
  },
});

const incidentioCodec = object(
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

export const incidentio = integrationType<CodecValue<typeof incidentioCodec>>({
  name: "incidentio",
  codec: incidentioCodec,
  complete(config, global) {
    config.httpConfig ??= global.httpConfig;
  },
});
