import { Registry } from "@narthex/client";
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { silentLogger, systemDisk } from "../../base/index.ts";
import { QueryMetrics } from "./metrics.ts";
import { QueryLog } from "./query-log.ts";
import { failedStats } from "./stats.ts";

const directory = mkdtempSync(join(tmpdir(), "query-log-"));
const path = join(directory, "query.log");
after(() => rmSync(directory, { recursive: true }));

const query = { text: "up", startMs: 1_000, endMs: 61_000, stepMs: 15_000, stats: failedStats(5, 1) };

function lines(file: string): Record<string, unknown>[] {
  return readFileSync(file, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

test("a line for each query, in a file that may be moved away", () => {
  const log = new QueryLog(systemDisk, silentLogger, new QueryMetrics(new Registry(), 1, () => 0));
  log.write(query, 0);
  log.open(path);
  log.write({ ...query, origin: { ruleGroup: { file: "r.yml", name: "g" } } }, 62_000);
  renameSync(path, `${path}.1`);
  log.open(path);
  log.write({ ...query, error: "query timed out" }, 62_000);
  assert.throws(() => log.open(join(directory, "missing", "query.log")), /ENOENT/);
  log.write(query, 62_000);
  log.open("");
  log.write(query, 62_000);
  assert.deepEqual(lines(`${path}.1`), [
    {
      time: "1970-01-01T00:01:02.000Z",
      level: "INFO",
      msg: "promql query logged",
      params: { start: "1970-01-01T00:00:01.000Z", end: "1970-01-01T00:01:01.000Z", query: "up", step: 15 },
      stats: query.stats,
      ruleGroup: { file: "r.yml", name: "g" },
    },
  ]);
  assert.deepEqual(
    lines(path).map(({ error }) => error),
    ["query timed out", undefined],
  );
});

test("a disk that fails is counted", () => {
  const registry = new Registry();
  const full = { ...systemDisk, write: () => assert.fail("no space") };
  const log = new QueryLog(full, silentLogger, new QueryMetrics(registry, 1, () => 0));
  log.open(path);
  log.write(query, 0);
  log.write(query, 0);
  const text = registry.expose("text");
  assert.match(text, /^prometheus_engine_query_log_failures_total 2$/m);
  assert.match(text, /^prometheus_engine_query_log_enabled 1$/m);
  log.close();
  assert.match(registry.expose("text"), /^prometheus_engine_query_log_enabled 0$/m);
});
