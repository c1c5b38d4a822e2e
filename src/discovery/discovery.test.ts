import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import test, { after } from "node:test";
import { encodeText, Registry } from "@narthex/client";
import { createLogger, silentLogger, SimulatedClock, systemClock, systemDisk } from "../base/index.ts";
import { encodeYaml, object, Place } from "../codec/index.ts";
import { createFileDiscoverer } from "./file.ts";
import { parseTargetGroups } from "./target-group.ts";
import {
  checkStaticTargets,
  createDiscoveryMetrics,
  discoveryConfigs,
  DiscoveryManager,
  type TargetGroup,
  type TargetGroups,
} from "./index.ts";

const directory = fs.mkdtempSync(path.join(os.tmpdir(), "narthex-discovery-"));
after(() => fs.rmSync(directory, { recursive: true }));

const holder = object("config.ScrapeConfig", { discovery: discoveryConfigs });
const decode = (yaml: string) => holder.decode(Place.parse(yaml, "sd.yml", directory)).discovery;

function shape(groups: readonly TargetGroup[]): Record<string, string[]> {
  return Object.fromEntries(
    groups.map((group) => [
      group.source.replace(directory, ""),
      group.targets.map((target) => target.get("__address__")),
    ]),
  );
}

async function until(condition: () => boolean): Promise<void> {
  const endMs = performance.now() + 5000;
  while (!condition()) {
    assert.ok(performance.now() < endMs, "waited in vain");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

test("sections are decoded, checked and printed", () => {
  const yaml = `static_configs:\n- targets:\n  - a:1\n  - b:2\n  labels:\n    x: z\nfile_sd_configs:\n- files:\n  - t/*.json\nconsul_sd_configs:\n- server: h:8500\n  token: geheim\n`;
  const configs = decode(yaml);
  assert.deepEqual(
    configs.map(({ mechanism }) => mechanism),
    ["file", "unsupported", "static"],
  );
  const printed = encodeYaml(holder.encode({ discovery: configs }));
  assert.match(printed, /- targets:\n  - a:1\n  - b:2\n  labels:\n    x: z/);
  assert.match(printed, /token: <secret>/);
  const refuse = (source: string, message: RegExp): void => assert.throws(() => decode(source), message);
  refuse(
    "consult_sd_configs: []",
    /sd.yml:1:1: field consult_sd_configs not found in type config.ScrapeConfig/,
  );
  refuse("static_configs:\n-", /empty or null section in static_configs/);
  refuse("file_sd_configs: [{files: [a.txt]}]", /path name ".*a.txt" is not valid for file discovery/);
  refuse("file_sd_configs: [{}]", /must contain at least one path name/);
  assert.throws(
    () => checkStaticTargets(decode("static_configs:\n- targets: ['http://bad']")),
    /sd.yml:2:3: "http:\/\/bad" is not a valid hostname/,
  );
});

test("files are read, watched, and keep their last good content when they break", async () => {
  const folder = path.join(directory, "files");
  fs.mkdirSync(folder);
  const file = path.join(folder, "a.yml");
  fs.writeFileSync(file, "- targets: [a:1]\n- targets: [b:1]\n  labels: {x: y}\n");
  fs.writeFileSync(path.join(folder, "b.json"), '[{"targets": ["c:1"]}]');
  const metrics = createDiscoveryMetrics();
  const config = {
    mechanism: "file",
    files: [path.join(folder, "*.yml"), path.join(folder, "*.json")],
    refreshIntervalMs: 3_600_000,
  } as const;
  const discoverer = createFileDiscoverer(
    { ...config, files: [...config.files] },
    { clock: systemClock, disk: systemDisk, logger: silentLogger, metrics },
  );
  const updates: (readonly TargetGroup[])[] = [];
  const abort = new AbortController();
  const running = discoverer.run((groups) => updates.push(groups), abort.signal);
  assert.deepEqual(shape(updates[0]!), {
    "/files/a.yml:0": ["a:1"],
    "/files/a.yml:1": ["b:1"],
    "/files/b.json:0": ["c:1"],
  });
  assert.deepEqual({ ...updates[0]![1]!.labels.toObject() }, { __meta_filepath: file, x: "y" });
  fs.writeFileSync(file, "- targets: [a:2]\n");
  await until(() => updates.length === 2);
  assert.deepEqual(shape(updates[1]!), {
    "/files/a.yml:0": ["a:2"],
    "/files/a.yml:1": [],
    "/files/b.json:0": ["c:1"],
  });
  fs.writeFileSync(file, "- target: [a:2]\n");
  await until(() => updates.length === 3);
  assert.deepEqual(shape(updates[2]!), { "/files/b.json:0": ["c:1"] });
  assert.equal(metrics.fileReadErrors.value, 1);
  fs.rmSync(file);
  await until(() => updates.length === 4);
  assert.deepEqual(shape(updates[3]!), { "/files/a.yml:0": [], "/files/b.json:0": ["c:1"] });
  // Another directory of the same name is watched like the first.
  const other = `${folder}-new`;
  fs.mkdirSync(other);
  fs.writeFileSync(path.join(other, "b.json"), '[{"targets": ["d:1"]}]');
  fs.renameSync(folder, `${folder}-old`);
  fs.renameSync(other, folder);
  await until(() => updates.length === 5);
  assert.deepEqual(shape(updates[4]!), { "/files/b.json:0": ["d:1"] });
  fs.writeFileSync(path.join(folder, "b.json"), '[{"targets": ["e:1"]}]');
  await until(() => updates.length === 6);
  assert.deepEqual(shape(updates[5]!), { "/files/b.json:0": ["e:1"] });
  abort.abort();
  await running;
});

test("the manager hands on at once, then at most every five seconds, and keeps what did not change", async () => {
  const clock = new SimulatedClock(1e12);
  const updates: { atMs: number; groups: TargetGroups }[] = [];
  const lines: string[] = [];
  const registry = new Registry();
  const manager = new DiscoveryManager({
    name: "scrape",
    clock,
    logger: createLogger({ write: (line) => lines.push(line) }),
    update: (groups) => updates.push({ atMs: clock.monotonicMs(), groups }),
    metrics: createDiscoveryMetrics(registry),
  });
  const first = decode("static_configs: [{targets: [a:1]}]\nkubernetes_sd_configs: [{role: pod}]");
  manager.apply(new Map([["job", first]]));
  assert.equal(updates.length, 1);
  assert.deepEqual(shape(updates[0]!.groups.get("job")!), { "0": ["a:1"] });
  assert.match(lines.join(""), /sd.yml:2:25: kubernetes_sd_configs is not supported yet/);

  // A file that changes twice within the interval makes one update, five seconds after the last.
  const folder = path.join(directory, "manager");
  fs.mkdirSync(folder);
  const file = path.join(folder, "t.yml");
  fs.writeFileSync(file, "- targets: [f:1]\n");
  const second = decode(
    "static_configs: [{targets: [a:1]}]\nfile_sd_configs: [{files: [manager/t.yml], refresh_interval: 1s}]",
  );
  manager.apply(
    new Map([
      ["job", second],
      ["other", decode("static_configs: [{targets: [a:1]}]")],
    ]),
  );
  assert.equal(updates.length, 2);
  assert.equal(updates[1]!.groups.get("job")!.length, 2);
  assert.deepEqual(shape(updates[1]!.groups.get("other")!), { "0": ["a:1"] });
  fs.writeFileSync(file, "- targets: [f:2]\n");
  await clock.advance(4000);
  assert.equal(updates.length, 2);
  await clock.advance(1500);
  assert.equal(updates.length, 3);
  assert.equal(updates[2]!.atMs, 5000);
  assert.match(encodeText(registry.gather()), /discovered_targets\{name="scrape",config="other"\} 1/);
  manager.apply(new Map());
  assert.equal(updates.at(-1)!.groups.size, 0);
  assert.doesNotMatch(encodeText(registry.gather()), /discovered_targets\{/);
  manager.close();
});

test("JSON is read alike the short and the long way, and its faults have a place", () => {
  const yaml = '- targets: [a:1]\n  labels: {x: "1"}\n- targets: [b:2]\n';
  const json = '[{"targets": ["a:1"], "labels": {"x": "1"}}, {"targets": ["b:2"]}]';
  const plain = (groups: TargetGroup[]) =>
    groups.map(({ targets, labels }) => [targets.map(String), String(labels)]);
  assert.deepEqual(plain(parseTargetGroups(json, "t.json")), plain(parseTargetGroups(yaml, "t.yml")));
  assert.deepEqual(plain(parseTargetGroups('[{"targets": [1], "labels": {"n": 2}}]', "t.json")), [
    [['{__address__="1"}'], '{n="2"}'],
  ]);
  const refuse = (source: string, message: RegExp): void =>
    assert.throws(() => parseTargetGroups(source, "t.json"), message);
  refuse('[{"target": ["a:1"]}]', /t.json:1:3: field target not found/);
  refuse('[{"targets": ["a:1"]},\n null]', /t.json:2:2: nil target group item found/);
  refuse('[{"targets": [', /t.json:1:\d+: yaml: /);
});
