import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { isOldPeer, peerBinary, skipWithout } from "../../../test/support/peers.ts";
import { runTool } from "./testing.ts";

const main = fileURLToPath(new URL("../main.ts", import.meta.url));
const directory = mkdtempSync(join(tmpdir(), "narthex-promtool-"));
after(() => rmSync(directory, { recursive: true, force: true }));

const config = join(directory, "prometheus.yml");
writeFileSync(
  config,
  `scrape_configs:
- job_name: static
  static_configs:
  - targets: ["dropped", "kept:99", "kept:99"]
    labels: {env: "<x>"}
  relabel_configs:
  - {source_labels: [__address__], regex: dropped, action: drop}
  - {source_labels: [env], target_label: zone}
- job_name: files
  scheme: https
  params: {module: [m]}
  file_sd_configs: [{files: [targets.json]}]
- job_name: refused
  static_configs: [{targets: [x]}]
  relabel_configs: [{target_label: __address__, replacement: a/b}]
`,
);
const targets = [{ targets: ["a:1", "b:2"], labels: { __metrics_path__: "/x", k: "v" } }];
writeFileSync(join(directory, "targets.json"), JSON.stringify(targets));

interface Found {
  discoveredLabels: Record<string, string>;
  labels: Record<string, string>;
  error?: unknown;
}

const args = (job: string): string[] => ["check", "service-discovery", "--timeout=500ms", config, job];

async function find(job: string): Promise<Found[]> {
  const { out, err, code } = await runTool(...args(job));
  assert.deepEqual([code, err], [0, ""]);
  return JSON.parse(out) as Found[];
}

test("targets are shown as they are found and as they are scraped", async () => {
  const found = await find("static");
  assert.equal(found.length, 2);
  const [dropped, kept] = found;
  assert.equal(dropped!.discoveredLabels["__address__"], "dropped");
  assert.deepEqual(dropped!.labels, {});
  assert.equal(kept!.discoveredLabels["instance"], undefined);
  assert.equal(kept!.labels["instance"], "kept:99");
  assert.equal(kept!.labels["zone"], "<x>");
  const { out } = await runTool(...args("static"));
  assert.match(out, /^\[\n {2}\{\n {4}"discoveredLabels": \{\n {6}"__address__": "dropped",/);
  assert.match(out, /"zone": "\\u003cx\\u003e"/);
});

test("a target that cannot be scraped is shown with the reason", async () => {
  const [refused] = await find("refused");
  assert.deepEqual([refused!.labels, refused!.error], [{}, '"a/b" is not a valid hostname']);
});

test("the process waits for the time to pass", () => {
  const { stdout, stderr, status } = spawnSync(process.execPath, [main, "promtool", ...args("files")], {
    encoding: "utf8",
  });
  assert.deepEqual([status, stderr], [0, ""]);
  assert.equal((JSON.parse(stdout) as Found[]).length, 2);
});

test("what is wrong with file or job is said", async () => {
  const unknown = await runTool(...args("none"));
  assert.equal(unknown.code, 1);
  assert.equal(unknown.err, "Job none not found. Select one of:\n\tstatic\n\tfiles\n\trefused\n");
  const missing = await runTool("check", "service-discovery", join(directory, "nowhere.yml"), "a");
  assert.equal(missing.code, 1);
  assert.match(missing.err, /^Cannot load config /);
});

const noPeer = skipWithout("promtool");
const skip = noPeer === false && isOldPeer("promtool") ? "older promtools know fewer labels" : noPeer;

test("promtool finds the same", { skip }, async () => {
  for (const job of ["static", "files"]) {
    const { stdout, status } = spawnSync(peerBinary("promtool"), args(job), { encoding: "utf8" });
    assert.equal(status, 0);
    assert.deepEqual(await find(job), JSON.parse(stdout));
  }
});
