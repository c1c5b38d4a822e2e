/** One data directory under both servers in turn: what one wrote, the other answers from. */
import assert from "node:assert/strict";
import { cpSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { skipWithout, startPeer } from "./support/peers.ts";
import {
  api,
  eventually,
  instantQuery,
  type Program,
  startProgram,
  temporaryDirectory,
} from "./support/program.ts";
import { startTarget } from "./support/targets.ts";

const skip = skipWithout("prometheus");

interface Scene {
  /** Without targets, so that a server that runs on it only answers. */
  idle: string;
  /** Scrapes the target. */
  busy: string;
  path: (name: string) => string;
}

/**
 * A target whose values move, with a series that comes and goes, and the files to scrape it or not. Its counters are far from zero,
 * because the versions differ in how they extrapolate from there.
 */
async function createScene(t: TestContext): Promise<Scene> {
  const directory = temporaryDirectory();
  let scrapes = 0;
  const target = await startTarget(() => {
    scrapes++;
    const sometimes = scrapes % 7 < 4 ? `sometimes{phase="${scrapes % 3}"} ${scrapes}\n` : "";
    return `# TYPE scrapes_total counter
scrapes_total ${1000 + scrapes}
gauge{kind="sine",text="ü \\"q\\" \\\\ \\n"} ${Math.sin(scrapes)}
gauge{kind="constant"} 42
gauge{kind="nan"} NaN
gauge{kind="inf"} -Inf
latency_seconds_bucket{le="0.5"} ${1000 + scrapes}
latency_seconds_bucket{le="+Inf"} ${2000 + scrapes * 2}
latency_seconds_sum ${scrapes / 3}
latency_seconds_count ${2000 + scrapes * 2}
${sometimes}`;
  });
  t.after(() => {
    target.close();
    directory.remove();
  });
  const path = (name: string): string => join(directory.path, name);
  const head = "global: { scrape_interval: 100ms, scrape_timeout: 100ms }\n";
  writeFileSync(path("idle.yml"), head);
  writeFileSync(
    path("busy.yml"),
    `${head}scrape_configs: [{ job_name: x, static_configs: [{ targets: ["${target.address}"], labels: { instance: a } }] }]\n`,
  );
  return { idle: path("idle.yml"), busy: path("busy.yml"), path };
}

const flags = (config: string, data: string): string[] => [
  `--config.file=${config}`,
  `--storage.tsdb.path=${data}`,
];

async function scrapeFor(program: Program, count: number): Promise<void> {
  await eventually(
    () => instantQuery(program.url, "count_over_time(scrapes_total[1h])"),
    ({ result }) => Number(result[0]?.value[1]) >= count,
  );
}

type Series = { metric: Record<string, string>; values: [number, string][] };

/** Every sample of the directory, series by series, and some answers that were computed of them. */
async function everything(url: string, startSeconds: number, endSeconds: number): Promise<unknown> {
  const at = `&time=${endSeconds}`;
  const raw = (await instantQuery(url, `{__name__=~".+"}[1h]`, at)) as unknown as { result: Series[] };
  const labels = await api(url, "labels");
  // Series of the head come in an order that nobody promises.
  const series = (await api<Record<string, string>[]>(url, 'series?match[]={__name__=~".%2B"}')).toSorted(
    (a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1),
  );
  const computed = [];
  // Off the samples' place in their interval, so that none lies on the end of a window, which 3.x does not count any more.
  const firstMs = Math.round(raw.result[0]!.values[0]![0] * 1000);
  const gridStart = (startSeconds * 1000 + (firstMs % 100) + 37) / 1000;
  const grid = `&start=${gridStart}&end=${endSeconds}&step=0.25`;
  for (const text of [
    "gauge",
    "sometimes",
    "rate(scrapes_total[2s])",
    "sum by (kind) (gauge)",
    "histogram_quantile(0.9, rate(latency_seconds_bucket[3s]))",
    "absent(sometimes)",
  ])
    computed.push([
      text,
      sorted(
        (await api<{ result: Series[] }>(url, `query_range?query=${encodeURIComponent(text)}${grid}`)).result,
      ),
    ]);
  return { raw: sorted(raw.result), labels, series, computed };
}

function sorted(series: Series[]): Series[] {
  return series.toSorted((a, b) => (JSON.stringify(a.metric) < JSON.stringify(b.metric) ? -1 : 1));
}

function samples(answer: unknown): number {
  return (answer as { raw: Series[] }).raw.reduce((sum, { values }) => sum + values.length, 0);
}

for (const signal of ["SIGTERM", "SIGKILL"] as const) {
  test(`Prometheus answers from what ours left after ${signal}`, { skip }, async (t) => {
    const { busy, idle, path } = await createScene(t);
    const start = Math.floor(Date.now() / 1000);
    const writer = await startProgram("server", flags(busy, path("data")));
    await scrapeFor(writer, 15);
    await writer.end(signal);
    const end = Math.ceil(Date.now() / 1000);
    cpSync(path("data"), path("copy"), { recursive: true });
    rmSync(path("copy/lock"), { force: true });
    const [ours, theirs] = await Promise.all([
      startProgram("server", flags(idle, path("data"))),
      startPeer("prometheus", flags(idle, path("copy"))),
    ]);
    try {
      const [answer, expected] = await Promise.all([
        everything(ours.url, start, end),
        everything(theirs.url, start, end),
      ]);
      assert.ok(samples(answer) > 150, `${samples(answer)} samples`);
      assert.deepEqual(answer, expected);
    } finally {
      await Promise.all([ours.end("SIGTERM"), theirs.end("SIGTERM")]);
    }
  });

  test(`ours answers from what Prometheus left after ${signal}, and goes on`, { skip }, async (t) => {
    const { busy, idle, path } = await createScene(t);
    const start = Math.floor(Date.now() / 1000);
    const writer = await startPeer("prometheus", flags(busy, path("data")));
    await scrapeFor(writer, 15);
    await writer.end(signal);
    const end = Math.ceil(Date.now() / 1000);
    cpSync(path("data"), path("copy"), { recursive: true });
    const [ours, theirs] = await Promise.all([
      startProgram("server", flags(idle, path("copy"))),
      startPeer("prometheus", flags(idle, path("data"))),
    ]);
    const [answer, expected] = await Promise.all([
      everything(ours.url, start, end),
      everything(theirs.url, start, end),
    ]);
    await Promise.all([ours.end("SIGTERM"), theirs.end("SIGTERM")]);
    assert.ok(samples(answer) > 150, `${samples(answer)} samples`);
    assert.deepEqual(answer, expected);
    // Ours writes on in the same directory; then Prometheus has both halves.
    const next = await startProgram("server", flags(busy, path("copy")));
    await scrapeFor(next, 25);
    await next.end(signal);
    const last = await startPeer("prometheus", flags(idle, path("copy")));
    try {
      const times = `&time=${Date.now() / 1000}`;
      const { result } = await instantQuery(last.url, "count_over_time(scrapes_total[1h])", times);
      assert.ok(Number(result[0]!.value[1]) >= 25);
    } finally {
      await last.end("SIGTERM");
    }
  });
}
