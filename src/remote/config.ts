import { httpClientConfig, httpClientConfigWithoutHttp2, reservedHeaders, url } from "../http/index.ts";
import {
  anything,
  bool,
  type CodecValue,
  durationMs,
  field,
  inline,
  integer,
  mapOf,
  type Mapping,
  object,
  oneOf,
  relabelConfigs,
  section,
  text,
} from "../codec/index.ts";

/** Refuses headers that the programs set themselves; `authorizationMessage` is the error for Authorization. */
export function checkHeaders(
  mapping: Mapping,
  headers: ReadonlyMap<string, string>,
  authorizationMessage: string,
): void {
  for (const name of headers.keys()) {
    if (name.toLowerCase() === "authorization") mapping.place("headers").fail(authorizationMessage);
    if (reservedHeaders.has(name.toLowerCase())) {
      mapping.place("headers").fail(`${name} is a reserved header. It must not be changed`);
    }
  }
}

const headersMessage =
  "authorization header must be changed via the basic_auth, authorization, oauth2, sigv4, azuread or google_iam parameter";

const queueConfig = object(
  "config.QueueConfig",
  {
    capacity: field("capacity", integer(), 10_000),
    shardsMax: field("max_shards", integer(), 50),
    shardsMin: field("min_shards", integer(), 1),
    samplesPerSendMax: field("max_samples_per_send", integer(), 2000),
    batchSendDeadlineMs: field("batch_send_deadline", durationMs, 5000),
    backoffMsMin: field("min_backoff", durationMs, 30),
    backoffMsMax: field("max_backoff", durationMs, 5000),
    retryOnHttp429: field("retry_on_http_429", bool, false),
    sampleAgeLimitMs: field("sample_age_limit", durationMs, 0),
  },
  (value, mapping) => {
    const refuse = (key: string, message: string): never =>
      mapping.place(key).fail(`remote write queue ${message}`);
    if (value.shardsMax <= 0) refuse("max_shards", "max_shards must be positive");
    if (value.shardsMin <= 0) refuse("min_shards", "min_shards must be positive");
    if (value.shardsMin > value.shardsMax)
      refuse("min_shards", "min_shards must not be greater than max_shards");
    if (value.samplesPerSendMax <= 0) refuse("max_samples_per_send", "max_samples_per_send must be positive");
    if (value.capacity <= 0) refuse("capacity", "capacity must be positive");
    if (value.backoffMsMax < value.backoffMsMin)
      refuse("max_backoff", "max_backoff must not be less than min_backoff");
    return value;
  },
);

const metadataConfig = object("config.MetadataConfig", {
  send: field("send", bool, true, { printAlways: true }),
  sendIntervalMs: field("send_interval", durationMs, 60_000, { printAlways: true }),
  samplesPerSendMax: field("max_samples_per_send", integer(), 2000),
});

const messages = ["prometheus.WriteRequest", "io.prometheus.write.v2.Request"] as const;
const protobufMessage = oneOf(
  messages,
  (value) =>
    `invalid protobuf_message value: unknown type for remote write protobuf message ${value}, supported: ${messages.join(", ")}`,
);

export const remoteWriteConfig = object(
  "config.plain",
  {
    url: field("url", url, ""),
    remoteTimeoutMs: field("remote_timeout", durationMs, 30_000),
    headers: field("headers", mapOf(text), new Map()),
    writeRelabelConfigs: field(
      "write_relabel_configs",
      relabelConfigs("empty or null relabeling rule in remote write config"),
      [],
    ),
    name: field("name", text, ""),
    sendExemplars: field("send_exemplars", bool, false),
    sendNativeHistograms: field("send_native_histograms", bool, false),
    roundRobinDns: field("round_robin_dns", bool, false),
    protobufMessage: field("protobuf_message", protobufMessage, "prometheus.WriteRequest"),
    failedRequestLogging: field("failed_request_logging", bool, false),
    httpClient: inline(httpClientConfigWithoutHttp2),
    queue: section("queue_config", queueConfig),
    metadata: section("metadata_config", metadataConfig),
    sigv4: field("sigv4", anything),
    azuread: field("azuread", anything),
    googleIam: field("google_iam", anything),
  },
  (value, mapping) => {
    if (value.url === "") mapping.place("url").fail("url for remote_write is empty");
    checkHeaders(mapping, value.headers, headersMessage);
    const { basicAuth, authorization, oauth2 } = value.httpClient;
    const { sigv4, azuread, googleIam } = value;
    const several = Object.entries({
      basic_auth: basicAuth,
      authorization,
      oauth2,
      sigv4,
      azuread,
      google_iam: googleIam,
    })
      .filter(([, config]) => config !== undefined)
      .map(([name]) => name);
    if (several.length > 1) {
      mapping.at.fail(
        `at most one of basic_auth, authorization, oauth2, sigv4, azuread or google_iam must be configured. Currently configured: [${several.join(" ")}]`,
      );
    }
    return value;
  },
);
export type RemoteWriteConfig = CodecValue<typeof remoteWriteConfig>;

export const remoteReadConfig = object(
  "config.plain",
  {
    url: field("url", url, ""),
    remoteTimeoutMs: field("remote_timeout", durationMs, 60_000),
    chunkedReadLimitBytes: field("chunked_read_limit", integer("uint"), 50_000_000),
    headers: field("headers", mapOf(text), new Map()),
    readRecent: field("read_recent", bool, false),
    name: field("name", text, ""),
    httpClient: inline(httpClientConfig),
    requiredMatchers: field("required_matchers", mapOf(text), new Map()),
    filterExternalLabels: field("filter_external_labels", bool, true),
  },
  (value, mapping) => {
    if (value.url === "") mapping.place("url").fail("url for remote_read is empty");
    checkHeaders(mapping, value.headers, headersMessage);
    return value;
  },
);
export type RemoteReadConfig = CodecValue<typeof remoteReadConfig>;
