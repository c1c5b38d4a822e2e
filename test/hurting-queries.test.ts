import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { api, eventually, instantQuery, startProgram, temporaryDirectory } from "./support/program.ts";
import { measureMachineDelay, watchWaits } from "./support/machine-delay.ts";
import { startTarget } from "./support/targets.ts";

const scrapeIntervalMs = 200;
/** How much later than its time a scrape may come, beside what the machine itself delays. */
const delayMsMax = 400;
const seriesCount = 10_000;

interface ListedQuery {
  id: number;
  query: string;
  state: string;
  samples: number;
  memoryBytes: number;
  httpRequest: { method: string; path: string };
}

/** A target with many series that remembers when it was asked. */
async function startHeavyTarget(): Promise<{ address: string; arrivals: number[]; close(): void }> {
  const arrivals: number[] = [];
  const lines = Array.from(
    { length: seriesCount },
    (_, i) => `m{id="${i}",path="/a/${"x".repeat(40)}/${i}"} ${i}\n`,
  );
  const body = lines.join("");
  const target = await startTarget((path) => {
    if (path === "/pulse") arrivals.push(Date.now());
    return path === "/pulse" ? "pulse 1\n" : body;
  });
  return { address: target.address, arrivals, close: () => target.close() };
}

function config(address: string): string {
  const job = (name: string, path: string, interval: string): string =>
    `  - {job_name: ${name}, metrics_path: ${path}, scrape_interval: ${interval}, scrape_timeout: ${interval}, static_configs: [{targets: ["${address}"]}]}\n`;
  return `scrape_configs:\n${job("pulse", "/pulse", `${scrapeIntervalMs}ms`)}${job("heavy", "/heavy", "1s")}`;
}

/** What engines that go back take for ever over, or that takes much memory when it is compiled. */
const hurtingPatterns = [
  "(.*x+)+y",
  "(x+x+)+y",
  "(x|xx|x?)*y",
  "/a/(.?){200}(.?){200}y",
  "((((x*)*)*)*)*y",
  ".*.*.*.*.*.*.*.*.*.*y",
  "(x{1,50}){1,20}y",
  "[^y]*[^z]*[^x]*/1",
];

/** Queries made to hurt; none may end the process, and what refuses them is not a fault of ours. */
function hurtingQueries(): string[] {
  const chain = Array.from({ length: 1500 }, (_, i) => `m{id="${i}"}`).join(" or ");
  return [
    'count({__name__=~".+"})',
    "sum by (path) (rate(m[1m])) / on (path) group_left () sum by (path) (m)",
    "sum(quantile_over_time(0.5, rate(m[1m])[1h:100ms]))",
    `m{path=~"${"(.*x+)+".repeat(30)}y"}`,
    `m{path=~"(a{1,999})${"(b{1,999})".repeat(200)}"}`,
    `${"(".repeat(499)}m${")".repeat(499)}`,
    `${"(".repeat(200_000)}m`,
    `${"-".repeat(450)}sum(m)`,
    chain,
    `${chain} or ${chain}`,
    "m * on (id) m * on (id) m * on (id) m",
    ...hurtingPatterns.map((pattern) => `m{path=~"${pattern}"}`),
    ...hurtingPatterns.map((pattern) => `label_replace(m, "l", "$1", "path", "${pattern}")`),
    `label_replace(m, "l", "${"$1".repeat(2000)}", "path", "(.*)")`,
    `label_join(m, "l", "${"-".repeat(10_000)}", ${'"path", '.repeat(100)}"id")`,
    `${"label_replace(".repeat(20)}m${', "path", "$1$1", "path", "(.*)")'.repeat(20)}`,
    "m * on () group_left () m",
    "m * on () group_right () count(m)",
    "sum(m) by (id, path) + on () group_left () (m * 0 == 1)",
    'count_values("v", m * 1.5)',
    "topk(10000, m)",
    "sort_desc(m) or sort(-m) or (m + 1) or (m + 2)",
    "quantile by (path) (0.99, m)",
    "max_over_time(max_over_time(max_over_time(m[1h:1s])[1h:1s])[1h:1s])",
    "sum(sum_over_time(m[1000000d:1ms]))",
    "stddev_over_time(m[1h:10ms] @ end())",
    `${"abs(".repeat(490)}m${")".repeat(490)}`,
    `${"sum(".repeat(400)}m${")".repeat(400)}`,
    `${"max_over_time(".repeat(50)}m${"[1m:1s])".repeat(50)}`,
    `{__name__=~"${"a|".repeat(50_000)}m"}`,
    `m{${'id!="1",'.repeat(5000)}}`,
  ];
}

test("no query delays a scrape or ends the process, and a query can be killed", async () => {
  const directory = temporaryDirectory();
  const target = await startHeavyTarget();
  const configFile = join(directory.path, "prometheus.yml");
  writeFileSync(configFile, config(target.address));
  const program = await startProgram("server", [
    `--config.file=${configFile}`,
    `--storage.tsdb.path=${join(directory.path, "data")}`,
    "--web.enable-admin-api",
    "--query.timeout=5s",
    "--query.readers=2",
  ]);
  try {
    await eventually(
      // While all the series come, the machine may be too busy to count them in time.
      () => instantQuery(program.url, "count(m)").catch(() => undefined),
      (answer) => answer?.result[0]?.value[1] === String(seriesCount),
    );
    target.arrivals.length = 0;
    const machine = measureMachineDelay();
    const waits = watchWaits(program.child.pid!);
    const end = Date.now() / 1000;
    const ask = async (query: string, step: string): Promise<number> => {
      const body = new URLSearchParams({ query, start: String(end - 1100), end: String(end), step });
      const response = await fetch(`${program.url}/api/v1/query_range`, { method: "POST", body });
      for await (const _ of response.body!);
      return response.status;
    };
    const statuses = await Promise.all(hurtingQueries().map((query) => ask(query, "0.1")));
    for (const status of statuses) assert.ok([200, 400, 422, 503].includes(status), String(statuses));
    const { arrivals } = target;
    assert.ok(arrivals.length > 10, `${arrivals.length} scrapes`);
    machine.close();
    waits.close();
    for (const [i, at] of arrivals.slice(1).entries()) {
      const delayMs = at - arrivals[i]! - scrapeIntervalMs;
      const allowedMs = delayMsMax + machine.maxMs() + waits.waitedMs(arrivals[i]!, at);
      assert.ok(delayMs < allowedMs, `a scrape came ${delayMs} ms late, where ${allowedMs} were allowed`);
    }
    assert.equal((await instantQuery(program.url, "count(m)")).result[0]!.value[1], String(seriesCount));
    await killOne(program.url, end);
    assert.equal(program.child.exitCode, null);
  } finally {
    await program.end("SIGTERM");
    target.close();
    directory.remove();
  }
});

async function killOne(url: string, end: number): Promise<void> {
  const query = "sum(quantile_over_time(0.5, rate(m[1m])[1h:100ms]))";
  const parameters = new URLSearchParams({ query, start: String(end - 600), end: String(end), step: "0.1" });
  const killed = fetch(`${url}/api/v1/query_range?${parameters.toString()}`);
  const { queries } = await eventually(
    () => api<{ queries: ListedQuery[] }>(url, "status/queries"),
    (answer) => answer.queries.some(({ samples }) => samples > 0),
  );
  const [found] = queries;
  assert.equal(found!.query, query);
  assert.equal(found!.state, "running");
  assert.ok(found!.memoryBytes > 0);
  assert.deepEqual([found!.httpRequest.method, found!.httpRequest.path], ["GET", "/api/v1/query_range"]);
  const kill = await fetch(`${url}/api/v1/status/queries/${found!.id}`, { method: "DELETE" });
  assert.equal(kill.status, 204);
  const response = await killed;
  assert.equal(response.status, 499);
  assert.equal(((await response.json()) as { errorType: string }).errorType, "canceled");
  assert.deepEqual((await api<{ queries: ListedQuery[] }>(url, "status/queries")).queries, []);
}
