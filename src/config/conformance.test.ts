import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import test from "node:test";
import { encodeConfig, loadConfig, parseConfig } from "./index.ts";

const directory = path.join(
  process.env["CONFORMANCE_DIR"] ?? path.join(import.meta.dirname, "../../../shared/conformance"),
  "config",
);
const files = fs.existsSync(directory)
  ? fs.readdirSync(directory).filter((name) => name.endsWith(".yml"))
  : [];
const skip = files.length === 0 && `no conformance data in ${directory}`;

/** Sections of service discovery mechanisms that are only kept: what is wrong inside them goes unnoticed. */
const unnoticed =
  /^(?:azure|ec2|eureka|hetzner|ionos|kubernetes|lightsail|marathon|oci|openstack|outscale|ovhcloud|puppetdb|scaleway|stackit|uyuni)/;

/** What an error must say, for the files whose fault is one of ours to find. */
const messages: Record<string, string> = {
  "jobname.bad.yml": "job_name is empty",
  "jobname_dup.bad.yml": 'found multiple scrape configs with job name "prometheus"',
  "scrape_interval.bad.yml": "scrape timeout greater than scrape interval",
  "labelname.bad.yml": "is not a valid label name",
  "labelvalue.bad.yml": "is not a valid label value",
  "regex.bad.yml": "error parsing regexp",
  "modulus_missing.bad.yml": "relabel configuration for hashmod requires non-zero modulus",
  "labelkeep.bad.yml": "labelkeep action requires only 'regex', and no other fields",
  "labeldrop5.bad.yml": "labeldrop action requires only 'regex', and no other fields",
  "dropequal.bad.yml": "relabel configuration for dropequal action requires 'target_label' value",
  "dropequal1.bad.yml":
    "dropequal action requires only 'source_labels' and `target_label`, and no other fields",
  "labelmap.bad.yml": "!!binary value contains invalid base64 data",
  "lowercase3.bad.yml": "'replacement' can not be set for lowercase action",
  "rules.bad.yml": "invalid rule file path",
  "unknown_attr.bad.yml": "field consult_sd_configs not found in type",
  "bearertoken.bad.yml": "at most one of bearer_token & bearer_token_file must be configured",
  "bearertoken_basicauth.bad.yml":
    "at most one of basic_auth, oauth2, bearer_token & bearer_token_file must be configured",
  "url_in_targetgroup.bad.yml": '"http://bad" is not a valid hostname',
  "unknown_global_attr.bad.yml": "field nonexistent_field not found in type config.plain",
  "remote_read_url_missing.bad.yml": "url for remote_read is empty",
  "remote_write_header.bad.yml":
    "x-prometheus-remote-write-version is a reserved header. It must not be changed",
  "remote_write_authorization_header.bad.yml":
    "authorization header must be changed via the basic_auth, authorization, oauth2, sigv4, azuread or google_iam parameter",
  "remote_write_wrong_msg.bad.yml":
    "unknown type for remote write protobuf message io.prometheus.writet.v2.Request, supported: prometheus.WriteRequest, io.prometheus.write.v2.Request",
  "remote_write_dup.bad.yml": 'found multiple remote write configs with job name "queue1"',
  "remote_write_queue_min_shards_greater_than_max.bad.yml":
    "remote write queue min_shards must not be greater than max_shards",
  "section_key_dup.bad.yml": "field scrape_configs already set in type config.plain",
  "empty_scrape_config.bad.yml": "empty or null scrape config section",
  "empty_rw_config.bad.yml": "empty or null remote write config section",
  "empty_target_relabel_config.bad.yml": "empty or null target relabeling rule",
  "empty_alertmanager_relabel_config.bad.yml": "empty or null Alertmanager target relabeling rule",
  "empty_static_config.bad.yml": "empty or null section in static_configs",
  "empty_scrape_config_action.bad.yml": "relabel action cannot be empty",
  "scrape_body_size_limit.bad.yml": "units: unknown unit in 100",
  "tracing_missing_endpoint.bad.yml": "tracing endpoint must be set",
  "tracing_invalid_compression.bad.yml": "invalid compression type foo provided, valid options: gzip",
  "scrape_config_files_glob.bad.yml": "invalid scrape config file path",
  "scrape_config_files_scrape_protocols.bad.yml":
    'scrape_protocols: unknown scrape protocol prometheusproto, supported: [OpenMetricsText0.0.1 OpenMetricsText1.0.0 PrometheusProto PrometheusText0.0.4 PrometheusText1.0.0] for scrape config with job name "node"',
  "scrape_config_files_scrape_protocols2.bad.yml":
    'duplicated protocol in scrape_protocols, got [OpenMetricsText1.0.0 PrometheusProto OpenMetricsText1.0.0] for scrape config with job name "node"',
  "scrape_config_utf8_conflicting.bad.yml":
    "utf8 metric names requested but validation scheme is not set to UTF8",
  "tsdb_retention_time.bad.yml": 'not a valid duration string: "-1h"',
  "tsdb_retention_size.bad.yml": "'storage.tsdb.retention.size' must be greater than or equal to 0",
  "tsdb_retention_percentage.bad.yml": "'storage.tsdb.retention.percentage' must be in the range [0, 100]",
  "tsdb_chunk_encoding_floats.bad.yml": `must be 'xor' or 'xor2', or the field must be omitted entirely, got "xor3"`,
  "metric_name_validation_scheme.bad.yml": 'unrecognized ValidationScheme: "invalid_scheme"',
};

test(
  "upstream's configuration files load, survive printing, or are refused as upstream refuses them",
  { skip },
  async (t) => {
    for (const name of files) {
      const file = path.join(directory, name);
      const bad = /\.bad\.yml$|\.incompatible\.yml$/.test(name);
      if (bad && unnoticed.test(name)) continue;
      // These are refused in agent mode only.
      if (name.startsWith("agent_mode.with")) continue;
      if (name === "config_with_deprecated_am_api_config.yml") continue;
      await t.test(name, () => {
        if (!bad) {
          const config = loadConfig(file, { environment: { foo: "bar", TEST: "x" } });
          const printed = encodeConfig(config);
          // What was expanded would be expanded again.
          if (name === "external_labels.good.yml") return;
          assert.equal(encodeConfig(parseConfig(printed, file, directory)), printed);
          assert.doesNotMatch(printed, /mysecret/);
          return;
        }
        assert.throws(
          () => loadConfig(file),
          (error: Error) => {
            assert.match(error.message, /\.yml:\d+:\d+: /);
            const message = messages[name];
            if (message !== undefined) assert.ok(error.message.includes(message), error.message);
            return true;
          },
        );
      });
    }
  },
);

test("an agent refuses what it has no use for", { skip }, () => {
  const refuse = (name: string, message: RegExp): void =>
    assert.throws(() => loadConfig(path.join(directory, name), { agentMode: true }), message);
  refuse("agent_mode.with_alert_manager.yml", /field alerting is not allowed in agent mode/);
  refuse("agent_mode.with_alert_relabels.yml", /field alerting is not allowed in agent mode/);
  refuse("agent_mode.with_rule_files.yml", /field rule_files is not allowed in agent mode/);
  refuse("agent_mode.with_remote_reads.yml", /field remote_read is not allowed in agent mode/);
  loadConfig(path.join(directory, "agent_mode.good.yml"), { agentMode: true });
  assert.throws(
    () => loadConfig(path.join(directory, "config_with_deprecated_am_api_config.yml")),
    /expected Alertmanager api version to be one of \[v2\] but got v1/,
  );
});
