/** Start timestamps, late samples, native histograms and exemplars: scraped by both servers, then each on what the other left on disk. */
import assert from "node:assert/strict";
import { cpSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import {
  bytesField,
  doubleField,
  family,
  metric,
  nativeHistogramFields,
  timestampField,
  varintField,
  protobufContentType,
} from "../src/exposition/testing/protobuf-writer.ts";
import { createHistogram, type Histogram } from "../src/model/index.ts";
import { isOldPeer, skipWithout, startPeer } from "./support/peers.ts";
import {
  api,
  eventually,
  instantQuery,
  type Program,
  startProgram,
  temporaryDirectory,
} from "./support/program.ts";
import { startTestServer } from "./support/targets.ts";

const skip =
  skipWithout("prometheus") || (isOldPeer("prometheus") && "Debian's Prometheus knows no start timestamps");
const intervalMs = 15_000;

/** What a target says in one of its states, each `intervalMs` after the one before. */
function exposition(state: number, baseMs: number): Buffer {
  const atMs = baseMs + state * intervalMs;
  // Every ninth state all counters begin anew.
  const life = Math.floor(state / 9);
  const since = state - 9 * life;
  const startMs = baseMs + 9 * life * intervalMs - 4000;
  const time = varintField(6, atMs);
  const counter = (value: number, start: number): Buffer =>
    bytesField(3, [
      doubleField(1, value),
      bytesField(2, [
        bytesField(1, [bytesField(1, "trace"), bytesField(2, `t${state}`)]),
        doubleField(2, 0.25 * state),
        timestampField(3, atMs),
      ]),
      timestampField(3, start),
    ]);
  const gauge = (name: string, value: number, ms = atMs): Buffer =>
    family(name, 1, [metric({}, bytesField(2, [doubleField(1, value)]), varintField(6, ms))]);
  const histogram = (counts: number[], isFloat = false): Buffer => {
    const positive = { indices: counts.map((_, i) => 2 * i + life), counts };
    const count = counts.reduce((a, b) => a + b);
    const whole: Histogram = createHistogram({
      schema: 2,
      zeroThreshold: 1e-9,
      positive,
      count,
      sum: count / 3,
    });
    return bytesField(7, [...nativeHistogramFields(whole, isFloat), timestampField(15, startMs)]);
  };
  return Buffer.concat([
    family("requests_total", 0, [metric({}, counter(10 * since + 1, startMs), time)]),
    // Delta: each counts since the one before.
    family("deltas_total", 0, [metric({}, counter(state % 5, atMs - intervalMs), time)]),
    family("sizes", 4, [metric({}, histogram([since + 1, 2 * since, 7]), time)]),
    family("fractions", 4, [metric({}, histogram([0.5 + since, 1.25], true), time)]),
    gauge("temperature", Math.sin(state)),
    gauge("late", state, atMs - (state % 4 === 0 ? 3.5 * intervalMs : 0)),
    gauge("step", state, baseMs + state),
  ]);
}

const features = [
  "st-storage",
  "xor2-encoding",
  "histograms-st-encoding",
  "use-start-timestamps",
  "promql-experimental-functions",
  "exemplar-storage",
];

async function createScene(t: TestContext) {
  const directory = temporaryDirectory();
  const baseMs = 1000 * (Math.floor(Date.now() / 1000) - 1500);
  const scene = { state: 1 };
  const target = await startTestServer((_, response) => {
    response.setHeader("content-type", protobufContentType);
    response.end(exposition(scene.state, baseMs));
  });
  t.after(() => {
    target.close();
    directory.remove();
  });
  const path = (name: string): string => join(directory.path, name);
  const config = (name: string, jobs: string): string => {
    writeFileSync(
      path(name),
      `global: { scrape_interval: 100ms, scrape_timeout: 100ms, scrape_native_histograms: true }
storage: { tsdb: { out_of_order_time_window: 1h } }
scrape_configs: [${jobs}]
`,
    );
    return path(name);
  };
  return {
    scene,
    baseMs,
    busy: config(
      "busy.yml",
      `{ job_name: x, static_configs: [{ targets: ["${target.address}"], labels: { instance: a } }] }`,
    ),
    idle: config("idle.yml", ""),
    flags: (file: string, data: string): string[] => [
      `--config.file=${file}`,
      `--storage.tsdb.path=${path(data)}`,
      `--enable-feature=${features.join(",")}`,
    ],
    copy: (from: string, to: string): void =>
      cpSync(path(from), path(to), { recursive: true, filter: (file) => !file.endsWith("/lock") }),
  };
}

async function reaches(programs: readonly Program[], state: number, atSeconds: number): Promise<void> {
  const time = `&time=${atSeconds}`;
  for (const { url } of programs)
    await eventually(
      () => instantQuery(url, "last_over_time(step[1h])", time),
      ({ result }) => result[0]?.value[1] === String(state),
    );
}

/** All that is stored, and what is made of it. */
async function answers(url: string, baseMs: number, states: number): Promise<string[]> {
  const seconds = (state: number): number => (baseMs + state * intervalMs) / 1000;
  const raw = encodeURIComponent('{job="x",__name__!~"scrape.*|up"}[1h]');
  const all: unknown[] = [await api(url, `query?query=${raw}&time=${seconds(states + 1)}`)];
  const names = ["requests_total", "deltas_total", "sizes", "fractions", "late", "temperature"];
  for (const query of names.flatMap((name) => [
    `start_timestamp(${name})`,
    `rate(${name}[1m])`,
    `increase(${name}[2m])`,
    `count_over_time(${name}[1m])`,
  ])) {
    const grid = `&start=${seconds(0)}&end=${seconds(states + 1)}&step=5`;
    all.push(query, await api(url, `query_range?query=${encodeURIComponent(query)}${grid}`));
  }
  all.push(await api(url, `query_exemplars?query=${encodeURIComponent('{job="x"}')}`));
  return all.flatMap((one) => {
    const { result } = one as { result?: { metric: { __name__?: string } }[] };
    return result === undefined ? JSON.stringify(one) : result.map((each) => JSON.stringify(each)).toSorted();
  });
}

for (const signal of ["SIGTERM", "SIGKILL"] as const)
  test(`each goes on with what the other left after ${signal}`, { skip, timeout: 180_000 }, async (t) => {
    const { scene, baseMs, busy, idle, flags, copy } = await createScene(t);
    const start = async (file: string, [ours, theirs]: [string, string]): Promise<[Program, Program]> => {
      const both = await Promise.all([
        startProgram("server", flags(file, ours)),
        startPeer("prometheus", flags(file, theirs)),
      ]);
      t.after(() => Promise.all(both.map((one) => one.end("SIGKILL"))));
      return both;
    };
    const run = async (programs: readonly Program[], until: number): Promise<void> => {
      for (; scene.state <= until; scene.state++)
        await reaches(programs, scene.state, (baseMs + (until + 1) * intervalMs) / 1000);
      scene.state = until;
    };
    const end = (programs: readonly Program[]): Promise<unknown> =>
      Promise.all(programs.map((one) => one.end(signal)));
    const compare = async ([ours, theirs]: [Program, Program], states: number): Promise<string[]> => {
      const expected = await answers(theirs.url, baseMs, states);
      assert.deepEqual(await answers(ours.url, baseMs, states), expected);
      return expected;
    };
    const first = await start(busy, ["ours", "theirs"]);
    await run(first, 30);
    const expected = await compare(first, 30);
    for (const text of ["histogram", "t30", '"late"'])
      assert.ok(
        expected.some((line) => line.includes(text)),
        text,
      );
    await end(first);
    copy("ours", "ours-for-them");
    copy("theirs", "theirs-for-us");
    const swapped = await start(idle, ["theirs-for-us", "ours-for-them"]);
    for (const { url } of swapped) assert.deepEqual(await answers(url, baseMs, 30), expected);
    await end(swapped);
    const second = await start(busy, ["theirs-for-us", "ours-for-them"]);
    scene.state = 31;
    await run(second, 45);
    const longer = await compare(second, 45);
    await end(second);
    const last = await start(idle, ["ours-for-them", "theirs-for-us"]);
    for (const { url } of last) assert.deepEqual(await answers(url, baseMs, 45), longer);
    await end(last);
  });
