import assert from "node:assert/strict";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import {
  type Program,
  api,
  eventually,
  instantQuery,
  startProgram,
  temporaryDirectory,
} from "./support/program.ts";
import { startTarget } from "./support/targets.ts";

interface Line {
  params: { query: string; step: number };
  stats: { samples: { totalQueryableSamples: number } };
  httpRequest?: { clientIP: string; method: string; path: string };
  ruleGroup?: { file: string; name: string };
}

function linesOf(file: string): Line[] {
  const text = readFileSync(file, "utf8").trimEnd();
  return text === "" ? [] : text.split("\n").map((line) => JSON.parse(line) as Line);
}

/** Takes longer than any test waits. */
const endless = "sum(quantile_over_time(0.5, vector(1)[7d:1s]))";

async function startEndless(program: Program): Promise<void> {
  const end = Date.now() / 1000;
  const range = `start=${end - 10_000}&end=${end}&step=1`;
  fetch(`${program.url}/api/v1/query_range?query=${encodeURIComponent(endless)}&${range}`).catch(
    () => undefined,
  );
  await eventually(
    () => api<{ queries: { state: string }[] }>(program.url, "status/queries"),
    ({ queries }) => queries[0]?.state === "running",
  );
}

test("queries are logged, those of rules too, in a file that is opened anew; what a crash ended is told", async () => {
  const directory = temporaryDirectory();
  const file = (name: string): string => join(directory.path, name);
  const target = await startTarget(() => "m 1\n");
  writeFileSync(file("rules.yml"), "groups: [{name: g, rules: [{record: r, expr: sum(m) + 1}]}]");
  writeFileSync(
    file("prometheus.yml"),
    `global: {scrape_interval: 200ms, evaluation_interval: 200ms, query_log_file: query.log}
rule_files: [rules.yml]
scrape_configs: [{job_name: a, scrape_timeout: 200ms, static_configs: [{targets: ["${target.address}"]}]}]\n`,
  );
  const start = (): Promise<Program> =>
    startProgram("server", [
      `--config.file=${file("prometheus.yml")}`,
      `--storage.tsdb.path=${file("data")}`,
      "--web.enable-lifecycle",
    ]);
  let program = await start();
  try {
    await eventually(
      () => instantQuery(program.url, "r"),
      ({ result }) => result[0]?.value[1] === "2",
    );
    const lines = linesOf(file("query.log"));
    const asked = lines.findLast(({ params }) => params.query === "r")!;
    assert.deepEqual(asked.httpRequest, { clientIP: "127.0.0.1", method: "GET", path: "/api/v1/query" });
    assert.equal(asked.stats.samples.totalQueryableSamples, 1);
    const rule = lines.find(({ ruleGroup }) => ruleGroup !== undefined)!;
    assert.deepEqual([rule.params.query, rule.params.step], ["sum(m) + 1", 0]);
    assert.deepEqual(rule.ruleGroup, { file: file("rules.yml"), name: "g" });

    renameSync(file("query.log"), file("query.log.1"));
    assert.equal((await fetch(`${program.url}/-/reload`, { method: "POST" })).status, 200);
    await instantQuery(program.url, "m");
    assert.ok(linesOf(file("query.log")).some(({ params }) => params.query === "m"));

    // A configuration that is refused moves the log nowhere.
    const good = readFileSync(file("prometheus.yml"), "utf8");
    writeFileSync(
      file("prometheus.yml"),
      good.replace("query.log", "other.log").replace("rules.yml", "bad.yml"),
    );
    writeFileSync(file("bad.yml"), "groups: [{name: g, rules: [{record: r, expr: sum(}]}]");
    assert.equal((await fetch(`${program.url}/-/reload`, { method: "POST" })).status, 500);
    await instantQuery(program.url, "m + 7");
    assert.ok(linesOf(file("query.log")).some(({ params }) => params.query === "m + 7"));
    writeFileSync(file("prometheus.yml"), good);

    await startEndless(program);
    const kill = await fetch(`${program.url}/api/v1/status/queries/1`, { method: "DELETE" });
    assert.deepEqual(await kill.json(), {
      status: "error",
      errorType: "unavailable",
      error: "admin APIs disabled",
    });
    await program.end("SIGKILL");
    program = await start();
    assert.match(program.log(), /These queries did not end in the last run.*quantile_over_time/);
  } finally {
    await program.end("SIGTERM");
    target.close();
    directory.remove();
  }
});
