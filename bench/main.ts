/**
 * The whole-system benchmark: one load, then the same questions, against Narthex and its peers in turn on this machine.
 * Ratios within one run count; absolute figures are this machine's of this hour.
 *
 *   npm run bench -- [--targets N] [--series N] [--interval SECONDS] [--minutes N | --hours N [--step SECONDS]] [--only narthex,prometheus]
 *                    [--queries all] [--blocks [--block-series N]] [--rules] [--no-check] [--keep]
 *
 * `--series` is per target: `--targets 200 --series 5000 --interval 15` is a million in all. `--queries all` asks every kind of query
 * instead of four, `--hours 2` scrapes two hours'
 * worth of samples, one each `--step` seconds (15), as fast as `--interval` says, so that memory and disk are those of a server that has run so long, `--blocks` asks stored data as well, `--rules` evaluates 1,000 rules. Before anything is measured, Narthex and Prometheus scrape the same small
 * load and must answer alike; on stored data their answers are compared as they come. VictoriaMetrics has a rate of its own,
 * and is started with its cache of answers turned off: everybody computes what is asked.
 * `--only narthex,narthex-xor2,prometheus` compares the encodings of floats as well.
 *
 * PROMETHEUS_BIN and VICTORIA_METRICS_BIN name other versions of the peers.
 */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs, promisify } from "node:util";
import { StoredBlocks } from "./blocks.ts";
import { checkAnswers, requireEqual } from "./check.ts";
import { type Range, getBody, instantPath, rangePath } from "./client.ts";
import { writeConfig } from "./config.ts";
import { LoadProcess, type Past } from "./load-process.ts";
import { cpuMs, diskBytes, peakBytes, resetPeak, residentBytes, sleep } from "./process.ts";
import { type Query, blockQueries, headQueries, instantQuery } from "./queries.ts";
import { measureRules, writeNoRules } from "./rules.ts";
import { Server, dataDirectory } from "./server.ts";
import { measureStorage } from "./storage.ts";
import { type System, findSystems } from "./systems.ts";
import { Figures, formatTable } from "./table.ts";

const { values: flags } = parseArgs({
  options: {
    targets: { type: "string", default: "100" },
    series: { type: "string", default: "1000" },
    interval: { type: "string", default: "1" },
    minutes: { type: "string", default: "3" },
    hours: { type: "string" },
    step: { type: "string", default: "15" },
    only: { type: "string" },
    queries: { type: "string", default: "usual" },
    blocks: { type: "boolean", default: false },
    "block-series": { type: "string", default: "2000" },
    rules: { type: "boolean", default: false },
    check: { type: "boolean", default: true },
    keep: { type: "boolean", default: false },
  },
  allowNegative: true,
});
const targets = Number(flags.targets);
const seriesPerTarget = Number(flags.series);
const intervalSeconds = Number(flags.interval);
const past = flags.hours === undefined ? undefined : pastOf(Number(flags.hours), Number(flags.step));
const loadMs = past === undefined ? Number(flags.minutes) * 60_000 : past.scrapes * intervalSeconds * 1000;
const warmUpMs = Math.max(20_000, 3 * intervalSeconds * 1000);
/** Two hours are upstream's; they go on until three are there, so that twice as many are cut for more. */
const blockHours = 2 * Math.max(1, Number(flags.hours ?? 1));
const firstPort = 21_000;
const serverPort = 20_990;

const directory = mkdtempSync(join(tmpdir(), "narthex-bench-"));
const rulesFile = join(directory, "bench.rules.yml");
const queries = headQueries.filter((query) => query.isUsual === true || flags.queries === "all");
/** What the first system answered on stored data, by query. */
const storedAnswers = new Map<Query, Buffer>();

function pastOf(hours: number, stepSeconds: number): Past {
  return { scrapes: Math.ceil((hours * 3600) / stepSeconds), stepSeconds };
}

/** The last minute: it ends a little in the past, so that every system has the last step's samples. */
function lastMinute(): Range {
  const end = Math.floor(Date.now() / 1000) - 4 - intervalSeconds;
  return { start: end - 59, end, step: 1 };
}

/**
 * Runs a query several times and notes the median latency, the mean CPU less what the server spends idle on scraping, and the most memory that was resident
 * meanwhile.
 */
async function measureQuery(
  { pid, port }: Server,
  figures: Figures,
  query: Query & { range: () => Range },
  idleCpuShare: number,
): Promise<void> {
  const runs = 7;
  await getBody(port, rangePath(query.expr, query.range()));
  resetPeak(pid);
  const latencies: number[] = [];
  const cpuBefore = cpuMs(pid);
  const begin = performance.now();
  for (let i = 0; i < runs; i++) {
    const runBegin = performance.now();
    await getBody(port, rangePath(query.expr, query.range()));
    latencies.push(performance.now() - runBegin);
  }
  const cpu = (cpuMs(pid) - cpuBefore - (performance.now() - begin) * idleCpuShare) / runs;
  figures.note(`${query.name}: latency`, "ms", latencies.sort((a, b) => a - b)[runs >> 1]!);
  figures.note(`${query.name}: CPU`, "ms", Math.max(cpu, 0));
  figures.note(`${query.name}: peak memory`, "MB", peakBytes(pid) / 1e6);
}

/** Queries of stored data; answers must be those that the first system gave. */
async function measureBlocks(
  server: Server,
  figures: Figures,
  blocks: StoredBlocks,
  idleCpuShare: number,
): Promise<void> {
  for (const query of blockQueries) {
    if (query.isNative === true && !server.system.isPrometheus) continue;
    if (server.system.isPrometheus && query.isNative !== true) {
      const answer = await getBody(server.port, rangePath(query.expr, blocks.range));
      const first = storedAnswers.get(query);
      if (first === undefined) storedAnswers.set(query, answer);
      else requireEqual(query, server.system, first, answer);
    }
    const stored = { ...query, name: `stored, ${query.name}`, range: () => blocks.range };
    await measureQuery(server, figures, stored, idleCpuShare);
  }
}

async function measureInstant(): Promise<number> {
  const url = `http://127.0.0.1:${serverPort}${instantPath(instantQuery)}`;
  const { stdout } = await promisify(execFile)("wrk", ["-t1", "-c8", "-d8s", url]);
  const perSecond = /Requests\/sec:\s+([\d.]+)/.exec(stdout);
  if (!perSecond || /Non-2xx/.test(stdout)) throw new Error(`wrk: ${stdout}`);
  return Number(perSecond[1]);
}

/** The heaviest query in a loop for twenty seconds; how late did the latest scrape come? */
async function measureScrapeDelay(load: LoadProcess, expr: string, range: () => Range): Promise<number> {
  await load.takeLongestDelayMs();
  const endMs = performance.now() + 20_000;
  while (performance.now() < endMs) await getBody(serverPort, rangePath(expr, range()));
  return load.takeLongestDelayMs();
}

async function countSeries(): Promise<number> {
  const body = await getBody(serverPort, instantPath('sum(scrape_samples_scraped{job="load"})'));
  const answer = JSON.parse(body.toString()) as { data: { result: { value: [number, string] }[] } };
  return Number(answer.data.result[0]?.value[1] ?? 0);
}

async function measure(system: System, blocks: StoredBlocks | undefined): Promise<Figures> {
  const data = dataDirectory(directory, system);
  const figures = new Figures(system.name);
  writeNoRules(rulesFile);
  const scraped = { count: targets, firstPort, intervalSeconds };
  const config = writeConfig(directory, scraped, system.isPrometheus ? rulesFile : undefined);
  if (system.isPrometheus) blocks?.copyTo(data);
  const pastEnd = Math.floor((Date.now() + loadMs) / 60_000) * 60;
  const range =
    past === undefined ? lastMinute : () => ({ start: pastEnd - 59 * 60, end: pastEnd, step: 60 });
  const load = await LoadProcess.start({ targets, seriesPerTarget, intervalSeconds, firstPort, past });
  let server: Server | undefined;
  try {
    server = await Server.start(system, config, directory, serverPort);
    if (!system.isPrometheus) await blocks?.importTo(serverPort);
    await sleep(warmUpMs);
    const cpuBefore = cpuMs(server.pid);
    const begin = performance.now();
    await sleep(past === undefined ? loadMs : loadMs - warmUpMs);
    const elapsedMs = performance.now() - begin;
    const cpu = cpuMs(server.pid) - cpuBefore;
    if (past !== undefined) await sleep(3 * intervalSeconds * 1000);
    const series = await countSeries();
    if (series < targets * seriesPerTarget * 0.99)
      throw new Error(`${system.name} scraped only ${series} series`);
    figures.note("CPU per scraped sample", "µs", (cpu * intervalSeconds * 1e6) / (series * elapsedMs));
    figures.note("resident memory per series", "B", residentBytes(server.pid) / series);
    figures.note("disk after load", "MB", diskBytes(data) / 1e6);
    const idleCpuShare = cpu / elapsedMs;
    for (const query of queries) await measureQuery(server, figures, { ...query, range }, idleCpuShare);
    if (blocks !== undefined) await measureBlocks(server, figures, blocks, idleCpuShare);
    figures.note("small instant queries", "1/s", await measureInstant(), true);
    const delayMs = await measureScrapeDelay(load, queries[1]!.expr, range);
    figures.note("longest scrape delay under load", "ms", delayMs);
    figures.note("resident memory after queries", "B/series", residentBytes(server.pid) / series);
    if (system.isPrometheus) await measureStorage(server, figures, data, idleCpuShare);
    if (flags.rules && system.isPrometheus) {
      const rules = await measureRules(server, rulesFile, idleCpuShare);
      figures.note("rules: CPU per evaluation", "µs", rules.cpuMicroseconds);
      figures.note("rules: slowest group of 50", "ms", rules.groupSeconds * 1000);
      figures.note("rules: evaluations of groups missed", "", rules.missed);
    }
    figures.note("ready after kill -9", "ms", await server.restartAfterKill());
  } finally {
    await server?.stop();
    await load.stop();
  }
  return figures;
}

const systems = findSystems(flags.only, blockHours);
try {
  if (flags.check) await checkAnswers(systems, queries, directory);
  const blocks = flags.blocks
    ? new StoredBlocks(join(directory, "blocks"), Number(flags["block-series"]))
    : undefined;
  const results: Figures[] = [];
  for (const system of systems) results.push(await measure(system, blocks));
  process.stdout.write(
    `\n${targets} targets × ${seriesPerTarget} series every ${intervalSeconds} s, ${past === undefined ? `${flags.minutes} min` : `${flags.hours} h of samples each ${flags.step} s`}; ` +
      `${systems[0]!.name} against its peers (ratios below 1 are better, ↑: above 1)\n\n${formatTable(results)}`,
  );
} finally {
  if (flags.keep) process.stderr.write(`kept ${directory}\n`);
  else rmSync(directory, { recursive: true, force: true });
}
