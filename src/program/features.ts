import { type ParserOptions, describeLanguage } from "../promql/index.ts";
import { prometheusFunctionNames } from "../template/index.ts";
import type { ServerOptions } from "./server-options.ts";

/** How the query language is read under these options. */
export function parserOptionsOf({ features }: ServerOptions): ParserOptions {
  return {
    experimentalFunctions: features.includes("promql-experimental-functions"),
    extendedRangeSelectors: features.includes("promql-extended-range-selectors"),
    binopFillModifiers: features.includes("promql-binop-fill-modifiers"),
  };
}

/** What this server can do, by upstream's categories and names; what is not named it knows nothing of. */
export function describeFeatures(options: ServerOptions): Record<string, Record<string, boolean>> {
  const enabled = new Set(options.features);
  const { keywords, operators, functions } = describeLanguage(parserOptionsOf(options));
  return {
    api: {
      admin: options.adminEnabled,
      exclude_alerts: true,
      label_values_match: true,
      lifecycle: options.lifecycleEnabled,
      otlp_write_receiver: false,
      query_stats: true,
      query_warnings: true,
      remote_write_receiver: false,
      search: enabled.has("search-api"),
      search_fuzz_alg_jarowinkler: true,
      search_fuzz_alg_subsequence: true,
      time_range_labels: true,
      time_range_series: true,
    },
    prometheus: {
      agent_mode: false,
      auto_reload_config: options.autoReloadMs !== undefined,
      server_mode: true,
    },
    promql: {
      ...keywords,
      at_modifier: true,
      delayed_name_removal: enabled.has("promql-delayed-name-removal"),
      duration_expr: true,
      negative_offset: true,
      per_query_lookback_delta: true,
      per_step_stats: enabled.has("promql-per-step-stats"),
      subqueries: true,
      type_and_unit_labels: enabled.has("type-and-unit-labels"),
    },
    promql_functions: functions,
    promql_operators: operators,
    rules: { concurrent_rule_eval: false, keep_firing_for: true, query_offset: true },
    scrape: {
      extra_scrape_metrics: true,
      start_timestamp_zero_ingestion: enabled.has("created-timestamp-zero-ingestion"),
    },
    service_discovery_providers: { dns: true, file: true, http: true, static: true },
    templating_functions: Object.fromEntries([...prometheusFunctionNames].map((name) => [name, true])),
    tsdb: {
      exemplar_storage: enabled.has("exemplar-storage"),
      isolation: true,
      metadata_wal_records: enabled.has("metadata-wal-records"),
      native_histograms: true,
      st_storage: enabled.has("st-storage"),
      xor2_encoding: enabled.has("xor2-encoding"),
    },
  };
}
