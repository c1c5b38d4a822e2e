/**
 * The whole-system benchmark: one load, then the same questions, against Narthex and its peers in turn on this machine.
 * Ratios within one run count; absolute figures are this machine's of this hour.
 *
 *   npm run bench -- [--targets N] [--series N] [--interval SECONDS] [--minutes N] [--only narthex,prometheus]
 *
 * PROMETHEUS_BIN and VICTORIA_METRICS_BIN name other versions of the peers.
 */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { Agent, request } from "node:http";
import { mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs, promisify } from "node:util";
import { cpuMs, diskBytes, residentBytes, sleep, start, stop } from "./process.ts";
import { findSystems, instantQuery, rangeQueries, type System } from "./systems.ts";

const { values: flags } = parseArgs({
  options: {
    targets: { type: "string", default: "100" },
    series: { type: "string", default: "1000" },
    interval: { type: "string", default: "1" },
    minutes: { type: "string", default: "3" },
    only: { type: "string" },
    keep: { type: "boolean", default: false },
  },
});
const targets = Number(flags.targets);
const seriesPerTarget = Number(flags.series);
const intervalSeconds = Number(flags.interval);
const measuredMs = Number(flags.minutes) * 60_000;
const firstPort = 21_000;
const serverPort = 20_990;
const agent = new Agent({ keepAlive: true });
const origin = `http://127.0.0.1:${serverPort}`;
const stepSeconds = 1;
const steps = 60;

/** One line of the table: a figure of one system. Lower is better unless `higherIsBetter`. */
interface Figure {
  name: string;
  unit: string;
  value: number;
  higherIsBetter?: boolean;
}

const directory = mkdtempSync(join(tmpdir(), "narthex-bench-"));

async function startLoad(): Promise<ChildProcess> {
  const load = spawn(
    process.execPath,
    [
      join(import.meta.dirname, "load.ts"),
      `--targets=${targets}`,
      `--series=${seriesPerTarget}`,
      `--interval-ms=${intervalSeconds * 1000}`,
      `--first-port=${firstPort}`,
    ],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  await nextLine(load);
  return load;
}

/** The load process writes a line when it is ready and one for each time it is asked for its longest delay. */
function nextLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    const lines = createInterface({ input: child.stdout! });
    const fail = (): void => reject(new Error("the load process ended; is another benchmark running?"));
    child.once("exit", fail);
    lines.once("line", (line) => {
      child.off("exit", fail);
      lines.close();
      resolve(line);
    });
  });
}

async function takeLongestDelayMs(load: ChildProcess): Promise<number> {
  const line = nextLine(load);
  load.kill("SIGUSR2");
  return (JSON.parse(await line) as { longestDelayMs: number }).longestDelayMs;
}

function writeConfig(): string {
  const addresses = Array.from({ length: targets }, (_, i) => `'127.0.0.1:${firstPort + i}'`);
  const file = join(directory, "prometheus.yml");
  writeFileSync(
    file,
    `global:\n  scrape_interval: ${intervalSeconds}s\n  scrape_timeout: ${intervalSeconds}s\n` +
      `scrape_configs:\n  - job_name: load\n    static_configs:\n      - targets: [${addresses.join(", ")}]\n`,
  );
  return file;
}

interface Answer {
  status: number;
  body: Buffer;
}

/**
 * Asks the server on a kept connection and without compression: what is measured is the server, and the client shares its
 * machine.
 */
function get(path: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request(origin + path, { agent }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => resolve({ status: response.statusCode!, body: Buffer.concat(chunks) }));
      response.on("error", reject);
    });
    asked.on("error", reject);
    asked.end();
  });
}

async function waitReady(system: System, timeoutMs: number): Promise<void> {
  const deadlineMs = performance.now() + timeoutMs;
  while (performance.now() < deadlineMs) {
    const status = await get(system.readyPath).then(
      (answer) => answer.status,
      () => 0,
    );
    if (status === 200) return;
    await sleep(5);
  }
  throw new Error(`${system.name} was not ready within ${timeoutMs} ms`);
}

async function countSeries(): Promise<number> {
  const { body } = await get(`/api/v1/query?query=${encodeURIComponent("sum(scrape_samples_scraped)")}`);
  const answer = JSON.parse(body.toString()) as { data: { result: { value: [number, string] }[] } };
  return Number(answer.data.result[0]?.value[1] ?? 0);
}

interface QueryRun {
  latencyMs: number;
  cpuMs: number;
  bytes: number;
}

function rangePath(expr: string): string {
  // Ends a little in the past, so that every system has the last step's samples.
  const end = Math.floor(Date.now() / 1000) - 5;
  return `/api/v1/query_range?query=${encodeURIComponent(expr)}&start=${end - (steps - 1) * stepSeconds}&end=${end}&step=${stepSeconds}`;
}

/** Runs a query several times; the median latency, and the mean CPU less what the server spends idle on scraping. */
async function measureQuery(pid: number, expr: string, idleCpuShare: number): Promise<QueryRun> {
  const runs = 7;
  await get(rangePath(expr));
  const latencies: number[] = [];
  let bytes = 0;
  const cpuBefore = cpuMs(pid);
  const begin = performance.now();
  for (let i = 0; i < runs; i++) {
    const runBegin = performance.now();
    const { status, body } = await get(rangePath(expr));
    latencies.push(performance.now() - runBegin);
    if (status !== 200) throw new Error(`query failed with ${status}: ${body.toString().slice(0, 300)}`);
    bytes = body.length;
  }
  const elapsedMs = performance.now() - begin;
  const cpu = (cpuMs(pid) - cpuBefore - elapsedMs * idleCpuShare) / runs;
  return { latencyMs: latencies.sort((a, b) => a - b)[runs >> 1]!, cpuMs: Math.max(cpu, 0), bytes };
}

async function measureInstant(): Promise<number> {
  const url = `${origin}/api/v1/query?query=${encodeURIComponent(instantQuery.expr)}`;
  const { stdout } = await promisify(execFile)("wrk", ["-t1", "-c8", "-d8s", url]);
  const perSecond = /Requests\/sec:\s+([\d.]+)/.exec(stdout);
  if (!perSecond || /Non-2xx/.test(stdout)) throw new Error(`wrk: ${stdout}`);
  return Number(perSecond[1]);
}

/** The heaviest query in a loop for twenty seconds; how late did the latest scrape come? */
async function measureScrapeDelay(load: ChildProcess, expr: string): Promise<number> {
  await takeLongestDelayMs(load);
  const endMs = performance.now() + 20_000;
  while (performance.now() < endMs) await get(rangePath(expr));
  return takeLongestDelayMs(load);
}

async function measure(system: System): Promise<Figure[]> {
  const data = join(directory, `data-${system.name}`);
  const logFd = openSync(join(directory, `${system.name}.log`), "a");
  const args = system.args(writeConfig(), data, serverPort);
  const load = await startLoad();
  let server = start(system.command, args, logFd);
  const figures: Figure[] = [];
  const note = (name: string, unit: string, value: number, higherIsBetter = false): void => {
    figures.push({ name, unit, value, higherIsBetter });
    process.stderr.write(`${system.name}: ${name} ${value.toPrecision(4)} ${unit}\n`);
  };
  try {
    await waitReady(system, 30_000);
    const warmUpMs = 20_000;
    await sleep(warmUpMs);
    const cpuBefore = cpuMs(server.pid!);
    const begin = performance.now();
    await sleep(measuredMs);
    const elapsedMs = performance.now() - begin;
    const cpu = cpuMs(server.pid!) - cpuBefore;
    const series = await countSeries();
    if (series < targets * seriesPerTarget * 0.99)
      throw new Error(`${system.name} scraped only ${series} series`);
    const samples = (series * elapsedMs) / 1000 / intervalSeconds;
    note("CPU per scraped sample", "µs", (cpu * 1000) / samples);
    note("resident memory per series", "B", residentBytes(server.pid!) / series);
    note("disk after load", "MB", diskBytes(data) / 1e6);
    const idleCpuShare = cpu / elapsedMs;
    for (const query of rangeQueries) {
      const run = await measureQuery(server.pid!, query.expr, idleCpuShare);
      note(`${query.name}: latency`, "ms", run.latencyMs);
      note(`${query.name}: CPU`, "ms", run.cpuMs);
    }
    note("small instant queries", "1/s", await measureInstant(), true);
    note("longest scrape delay under load", "ms", await measureScrapeDelay(load, rangeQueries[1]!.expr));
    note("resident memory after queries", "B/series", residentBytes(server.pid!) / series);
    await stop(server, "SIGKILL");
    const restartMs = performance.now();
    server = start(system.command, args, logFd);
    await waitReady(system, 120_000);
    note("ready after kill -9", "ms", performance.now() - restartMs);
  } finally {
    await stop(server, "SIGKILL");
    await stop(load, "SIGTERM");
  }
  return figures;
}

function printTable(systems: readonly System[], results: readonly Figure[][]): void {
  const [first, ...peers] = systems;
  const header = ["", "", ...systems.map((system) => system.name), ...peers.map((peer) => `÷ ${peer.name}`)];
  const rows = results[0]!.map((figure, i) => [
    figure.name,
    figure.unit,
    ...results.map((figures) => figures[i]!.value.toPrecision(3)),
    ...results
      .slice(1)
      .map(
        (figures) => `${(figure.value / figures[i]!.value).toFixed(2)}×${figure.higherIsBetter ? " ↑" : ""}`,
      ),
  ]);
  process.stdout.write(
    `\n${targets} targets × ${seriesPerTarget} series every ${intervalSeconds} s, ${flags.minutes} min; `,
  );
  process.stdout.write(`${first!.name} against its peers (ratios below 1 are better, ↑: above 1)\n\n`);
  for (const [i, row] of [header, ...rows].entries()) {
    process.stdout.write(`| ${row.join(" | ")} |\n`);
    if (i === 0) process.stdout.write(`|${row.map(() => "---").join("|")}|\n`);
  }
}

const systems = findSystems(flags.only);
const results: Figure[][] = [];
try {
  for (const system of systems) results.push(await measure(system));
  printTable(systems, results);
} finally {
  if (flags.keep) process.stderr.write(`kept ${directory}\n`);
  else rmSync(directory, { recursive: true, force: true });
}
