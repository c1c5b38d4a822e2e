/** The names of the server's own metrics beside those of a real Prometheus with the same configuration. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { isOldPeer, skipWithout, startPeer } from "./support/peers.ts";
import {
  eventually,
  instantQuery,
  type Program,
  startProgram,
  temporaryDirectory,
} from "./support/program.ts";
import { startTestServer } from "./support/targets.ts";

/** Names of Prometheus that are not here, by why. docs/guide/from-prometheus.md says the same in its table. */
const absent: readonly { name: RegExp; why: string; isForNow?: boolean; isSince3?: boolean }[] = [
  { name: /^go_/, why: "Go's runtime; nodejs_* tells of this one" },
  {
    name: /^prometheus_(?:remote_storage_|api_remote_read_|remote_read_handler_)/,
    why: "no remote write and read yet",
    isForNow: true,
  },
  { name: /^prometheus_web_federation_/, why: "no federation yet", isForNow: true },
  { name: /^prometheus_(?:treecache_|sd_azure_)/, why: "no such discovery yet", isForNow: true },
  { name: /^prometheus_tsdb_isolation_/, why: "commits have no numbers here" },
  { name: /^prometheus_tsdb_symbol_table_size_bytes$/, why: "symbols of blocks are read from their files" },
  {
    name: /^prometheus_target_scrape_pool_symboltable_items$/,
    why: "strings of all jobs are in the shared memory once",
    isSince3: true,
  },
  {
    name: /^prometheus_tsdb_selected_series_compaction/,
    why: "nobody names series to be compacted",
    isSince3: true,
  },
  {
    name: /^prometheus_api_notification_updates_dropped_total$/,
    why: "every listener is told everything",
    isSince3: true,
  },
  {
    name: /^prometheus_tsdb_head_native_histogram_(?:series|buckets)$/,
    why: "native histograms are not counted apart yet",
    isForNow: true,
  },
  { name: /^prometheus_tsdb_compactions_skipped_total$/, why: "compaction cannot be disabled" },
  {
    name: /^prometheus_tsdb_checkpoint_deletions_failed_total$/,
    why: "counted as a checkpoint that failed",
  },
  {
    name: /^prometheus_tsdb_(?:head_out_of_order_samples_appended|too_old_samples|snapshot_replay_error)_total$/,
    why: "no samples out of order, no snapshot of the head yet",
    isForNow: true,
  },
];

async function names({ url }: Program): Promise<Set<string>> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return new Set([...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name!));
}

test(
  "own metrics have upstream's names, but for those that are explained",
  { skip: skipWithout("prometheus") },
  async (t) => {
    const directory = temporaryDirectory();
    const path = (name: string): string => join(directory.path, name);
    const alertmanager = await startTestServer((_, response) => response.end());
    const start = async (name: string, run: (flags: string[]) => Promise<Program>): Promise<Program> => {
      writeFileSync(path("targets.json"), JSON.stringify([{ targets: [alertmanager.address] }]));
      writeFileSync(
        path("rules.yml"),
        `groups: [{ name: g, rules: [{ record: r, expr: up }, { alert: A, expr: "vector(1)", annotations: { a: "{{ 1 }}" } }] }]`,
      );
      writeFileSync(
        path("prometheus.yml"),
        `global: { scrape_interval: 1s, evaluation_interval: 1s }
rule_files: ["${path("rules.yml")}"]
alerting: { alertmanagers: [{ static_configs: [{ targets: ["${alertmanager.address}"] }] }] }
scrape_configs:
- { job_name: static, static_configs: [{ targets: ["${alertmanager.address}"] }] }
- { job_name: file, file_sd_configs: [{ files: ["${path("targets.json")}"] }] }
`,
      );
      const program = await run([
        `--config.file=${path("prometheus.yml")}`,
        `--storage.tsdb.path=${path(name)}`,
        "--enable-feature=exemplar-storage",
        "--rules.alert.resend-delay=1s",
      ]);
      t.after(() => program.end("SIGKILL"));
      return program;
    };
    t.after(() => {
      alertmanager.close();
      directory.remove();
    });
    const ours = await start("ours", (flags) => startProgram("server", flags));
    const theirs = await start("theirs", (flags) => startPeer("prometheus", flags));
    for (const program of [ours, theirs]) {
      await eventually(
        () => instantQuery(program.url, 'ALERTS{alertstate="firing"}'),
        ({ result }) => result.length > 0,
      );
      await eventually(
        async () => [...(await names(program))].filter((name) => /notif|interval_length/.test(name)),
        (found) =>
          found.includes("prometheus_notifications_latency_seconds") &&
          found.includes("prometheus_target_interval_length_seconds"),
      );
    }
    const [our, their] = [await names(ours), await names(theirs)];
    const missing = [...their].filter((name) => !our.has(name));
    assert.deepEqual(
      missing.filter((name) => !absent.some((entry) => entry.name.test(name))),
      [],
    );
    const isOld = isOldPeer("prometheus");
    const lasting = absent.filter(({ isForNow, isSince3 }) => isForNow !== true && !(isOld && isSince3));
    const outdated = lasting.filter((entry) => !missing.some((name) => entry.name.test(name)));
    assert.deepEqual(outdated, [], "explained and yet there");
  },
);
