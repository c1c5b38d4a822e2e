import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { decodeFamilies, type MetricFamily } from "../../exposition/index.ts";
import { collectorFactories } from "./collectors.ts";
import { createNodeExporter, parseNodeExporterFlags } from "./index.ts";
import { freePort } from "../../../test/support/free-port.ts";

const binary = "prometheus-node-exporter";
const installed = spawnSync(binary, ["--version"]).status === 0;

/** Wide patterns, so that as much as possible is compared; the same for both programs. */
const patterns = [
  "--collector.filesystem.mount-points-exclude=^/dev($|/)",
  "--collector.filesystem.fs-types-exclude=^proc$",
  "--collector.diskstats.device-exclude=^loop1",
  "--collector.netdev.device-exclude=^$",
  "--collector.netstat.fields=.*",
  "--collector.vmstat.fields=.*",
  "--collector.cpu.info",
  "--collector.cpu.info.flags-include=^avx",
  "--collector.cpu.info.bugs-include=.*",
  "--collector.stat.softirq",
  "--collector.netdev.address-info",
  "--web.disable-exporter-metrics",
];

/** What differs between version 1.5, which is what distributions install, and 1.12, whose metrics these are. */
const newCollectors = ["kernel_hung"];
const newFamilies: readonly [name: RegExp, why: string][] = [
  [/^node_filesystem_mount_info$/, "added in 1.9"],
  [/^node_softnet_(backlog_len|(cpu_collision|flow_limit_count|received_rps)_total)$/, "added in 1.6"],
  [/^node_cpu_frequency_hertz$/, "1.5 leaves it out on some machines"],
];
const newLabels: readonly [name: string, label: string, why: string][] = [
  ["node_disk_info", "rotational", "added in 1.8"],
  ["node_network_info", "adminstate", "added in 1.6"],
];
const notCompared: readonly [name: RegExp, why: string][] = [
  [/^node_exporter_build_info$/, "names the build"],
  [/^promhttp_/, "1.5 shows its own errors although told not to"],
];

test(
  "the same series as the original, on the same machine",
  { skip: !installed && `${binary} is not installed` },
  async () => {
    const directory = mkdtempSync(join(tmpdir(), "narthex-textfile-"));
    writeFileSync(
      join(directory, "a.prom"),
      '# HELP backup_age Age.\n# TYPE backup_age gauge\nbackup_age{a="b"} 1\nplain 2\n',
    );
    const collectors = [...collectorFactories.keys()].filter((name) => !newCollectors.includes(name));
    const args = [
      ...patterns,
      `--collector.textfile.directory=${directory}`,
      "--collector.disable-defaults",
      ...collectors.map((name) => `--collector.${name}`),
    ];
    const exporter = createNodeExporter(parseNodeExporterFlags(args).options);
    try {
      const theirs = decode(await scrapeOriginal(args)).filter(isCompared);
      const ours = decode(await exporter.collect()).filter(isCompared);
      const isOld = ({ name }: MetricFamily): boolean => !newFamilies.some(([pattern]) => pattern.test(name));
      assert.deepEqual(describeFamilies(ours.filter(isOld)), describeFamilies(theirs));
      assert.ok(theirs.length > 200, `${theirs.length} families compared`);
      const series = seriesOf(ours.filter(isOld));
      assert.deepEqual(series, seriesOf(theirs));
      assert.ok(series.length > 400, `${series.length} series compared`);
    } finally {
      exporter.close();
      rmSync(directory, { recursive: true });
    }
  },
);

function decode(text: string): MetricFamily[] {
  return decodeFamilies(new TextEncoder().encode(text), "text");
}

function isCompared({ name }: MetricFamily): boolean {
  return !notCompared.some(([pattern]) => pattern.test(name));
}

function describeFamilies(families: readonly MetricFamily[]): string[] {
  return families.map(({ name, type, help }) => `${name} ${type} ${help}`).sort();
}

/** Empty labels are no labels. */
function seriesOf(families: readonly MetricFamily[]): string[] {
  return families
    .flatMap(({ samples }) => samples)
    .map(({ name, labels }) => {
      const shown = labels.filter(
        ([label, value]) =>
          value !== "" && !newLabels.some(([metric, added]) => metric === name && added === label),
      );
      return `${name}${JSON.stringify(Object.fromEntries(shown.toSorted(([a], [b]) => (a < b ? -1 : 1))))}`;
    })
    .sort();
}

/** Runs the original for one scrape. */
async function scrapeOriginal(args: readonly string[]): Promise<string> {
  const port = await freePort();
  const program = spawn(binary, [...args, `--web.listen-address=127.0.0.1:${port}`], { stdio: "ignore" });
  const ended = once(program, "exit");
  try {
    for (let attempt = 0; attempt < 100; attempt++) {
      const response = await fetch(`http://127.0.0.1:${port}/metrics`).catch(() => undefined);
      if (response?.ok) return await response.text();
      await delay(50);
    }
    throw new Error(`${binary} did not answer`);
  } finally {
    program.kill();
    await ended;
  }
}
