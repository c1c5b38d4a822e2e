import { tlsConfig } from "../http/index.ts";
import { quoteGo } from "../model/index.ts";
import {
  bool,
  byteSize,
  type CodecValue,
  durationMs,
  field,
  float,
  integer,
  list,
  mapOf,
  object,
  oneOf,
  section,
  text,
} from "../codec/index.ts";
import { checkHeaders } from "../remote/index.ts";

/** Go's garbage collector has no counterpart here; the key is read and printed so that files stay valid. */
export const runtimeConfig = object("config.RuntimeConfig", { gogc: field("gogc", integer(), 75) });

const retentionConfig = object(
  "config.plain",
  {
    timeMs: field("time", durationMs, 0),
    sizeBytes: field("size", byteSize, 0),
    percentage: field("percentage", float, 0),
  },
  (value, mapping) => {
    if (value.sizeBytes < 0) {
      mapping
        .place("size")
        .fail(`'storage.tsdb.retention.size' must be greater than or equal to 0, got ${value.sizeBytes}B`);
    }
    if (!(value.percentage >= 0 && value.percentage <= 100)) {
      mapping
        .place("percentage")
        .fail(`'storage.tsdb.retention.percentage' must be in the range [0, 100], got ${value.percentage}`);
    }
    return value;
  },
);

const chunkEncodingConfig = object("config.ChunkEncodingConfig", {
  floats: field(
    "floats",
    oneOf(
      ["", "xor", "xor2"],
      (value) =>
        `'storage.tsdb.chunk_encoding.floats' must be 'xor' or 'xor2', or the field must be omitted entirely, got ${quoteGo(value)}`,
    ),
    "",
  ),
});

const tsdbConfig = object("config.plain", {
  outOfOrderTimeWindowMs: field("out_of_order_time_window", durationMs, 0),
  staleSeriesCompactionThreshold: field("stale_series_compaction_threshold", float, 0),
  chunkEncoding: section("chunk_encoding", chunkEncodingConfig),
  /** Absent: the flags say what is kept. */
  retention: field("retention", retentionConfig),
});

const exemplarsConfig = object("config.ExemplarsConfig", {
  exemplarsMax: field("max_exemplars", integer(), 100_000),
});

export const storageConfig = object("config.StorageConfig", {
  tsdb: section("tsdb", tsdbConfig),
  exemplars: field("exemplars", exemplarsConfig),
});
export type StorageConfig = CodecValue<typeof storageConfig>;

export const tracingConfig = object(
  "config.plain",
  {
    clientType: field(
      "client_type",
      oneOf(
        ["grpc", "http"],
        (value) => `expected tracing client type to be to be http or grpc, but got ${value}`,
      ),
      "grpc",
    ),
    endpoint: field("endpoint", text, ""),
    samplingFraction: field("sampling_fraction", float, 0),
    insecure: field("insecure", bool, false),
    tls: section("tls_config", tlsConfig),
    headers: field("headers", mapOf(text), new Map()),
    compression: field("compression", text, ""),
    timeoutMs: field("timeout", durationMs, 0),
  },
  (value, mapping) => {
    checkHeaders(mapping, value.headers, "custom authorization header configuration is not yet supported");
    if (value.endpoint === "") mapping.place("endpoint").fail("tracing endpoint must be set");
    if (value.compression !== "" && value.compression !== "gzip") {
      mapping
        .place("compression")
        .fail(`invalid compression type ${value.compression} provided, valid options: gzip`);
    }
    return value;
  },
);

export const otlpConfig = object(
  "config.plain",
  {
    promoteAllResourceAttributes: field("promote_all_resource_attributes", bool, false),
    promoteResourceAttributes: field("promote_resource_attributes", list(text), []),
    ignoreResourceAttributes: field("ignore_resource_attributes", list(text), []),
    translationStrategy: field("translation_strategy", text, "UnderscoreEscapingWithSuffixes"),
    keepIdentifyingResourceAttributes: field("keep_identifying_resource_attributes", bool, false),
    convertHistogramsToNhcb: field("convert_histograms_to_nhcb", bool, false),
    promoteScopeMetadata: field("promote_scope_metadata", bool, false),
    labelNameUnderscoreSanitization: field("label_name_underscore_sanitization", bool, true),
    labelNamePreserveMultipleUnderscores: field("label_name_preserve_multiple_underscores", bool, true),
  },
  (value, mapping) => {
    const refuse = (key: string, message: string): never => mapping.place(key).fail(message);
    if (value.promoteAllResourceAttributes) {
      if (value.promoteResourceAttributes.length > 0) {
        refuse(
          "promote_resource_attributes",
          "'promote_all_resource_attributes' and 'promote_resource_attributes' cannot be configured simultaneously",
        );
      }
      const fault = trimAttributes(value.ignoreResourceAttributes, "ignored");
      if (fault !== "")
        refuse("ignore_resource_attributes", `invalid 'ignore_resource_attributes': ${fault}`);
      return value;
    }
    if (value.ignoreResourceAttributes.length > 0) {
      refuse(
        "ignore_resource_attributes",
        "'ignore_resource_attributes' cannot be configured unless 'promote_all_resource_attributes' is true",
      );
    }
    const fault = trimAttributes(value.promoteResourceAttributes, "promoted");
    if (fault !== "")
      refuse("promote_resource_attributes", `invalid 'promote_resource_attributes': ${fault}`);
    return value;
  },
);

/** Trims the names in place; what is wrong with them, or "". */
function trimAttributes(names: string[], adjective: string): string {
  const seen = new Set<string>();
  const faults: string[] = [];
  for (const [i, raw] of names.entries()) {
    const name = raw.trim();
    if (name === "") faults.push(`empty ${adjective} OTel resource attribute`);
    else if (seen.has(name)) faults.push(`duplicated ${adjective} OTel resource attribute ${quoteGo(name)}`);
    seen.add(name);
    names[i] = name;
  }
  return faults.join("\n");
}

const strategies = ["UnderscoreEscapingWithSuffixes", "UnderscoreEscapingWithoutSuffixes"];
const utf8Strategies = ["NoTranslation", "NoUTF8EscapingWithSuffixes"];

/** What is wrong with a translation strategy under a naming scheme; undefined when nothing is. */
export function translationFault(strategy: string, scheme: string): string | undefined {
  if (strategy === "" || strategies.includes(strategy)) return undefined;
  if (!utf8Strategies.includes(strategy)) return `unsupported OTLP translation strategy ${quoteGo(strategy)}`;
  return scheme === "legacy"
    ? `OTLP translation strategy ${quoteGo(strategy)} is not allowed when UTF8 is disabled`
    : undefined;
}
