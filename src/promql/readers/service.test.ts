import { Registry } from "@narthex/client";
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type Clock, NarthexError, silentLogger, systemClock, systemDisk } from "../../base/index.ts";
import { type Kernel, createKernel, layout } from "../../kernel/index.ts";
import { Labels } from "../../model/index.ts";
import type { Querier } from "../../storage/index.ts";
import { type Tsdb, openTsdb } from "../../tsdb/index.ts";
import type { ExplainNode } from "../explain.ts";
import { decodeUnfinished } from "./active-file.ts";
import { Answerer } from "./answer.ts";
import { SharedWords } from "./messages.ts";
import { idleMsMax } from "./pool.ts";
import type { RangeQuery } from "./query.ts";
import { QueryService, type QueryServiceOptions } from "./service.ts";
import type { QueryStats } from "./stats.ts";

const directory = mkdtempSync(join(tmpdir(), "readers-"));
const seriesCount = 3000;
const sampleCount = 60;
const endMs = Math.floor(Date.now() / 1000) * 1000;
const startMs = endMs - sampleCount * 1000;
let kernel: Kernel;
let tsdb: Tsdb;
let service: QueryService;

before(async () => {
  kernel = createKernel({ limitBytes: 256 * 1024 * 1024 });
  tsdb = openTsdb({
    kernel,
    disk: systemDisk,
    clock: systemClock,
    directory,
    logger: silentLogger,
    registry: new Registry(),
  });
  await tsdb.ready;
  for (let second = 0; second <= sampleCount; second++) {
    const appender = tsdb.appender();
    for (let i = 0; i < seriesCount; i++) {
      const ref = appender.reference(
        Labels.from({ __name__: "requests_total", group: `g${i % 7}`, id: String(i) }),
      );
      appender.append(ref, startMs + second * 1000, (second + 1) * (i + 1));
    }
    appender.commit();
  }
  service = openService();
});

after(async () => {
  await service.close();
  await tsdb.close();
  rmSync(directory, { recursive: true });
});

function openService(more: Partial<QueryServiceOptions> = {}): QueryService {
  return new QueryService({
    kernel,
    queryable: tsdb.queryable,
    clock: systemClock,
    logger: silentLogger,
    registry: new Registry(),
    readers: 2,
    concurrencyMax: 4,
    timeoutMs: 60_000,
    lookbackDeltaMs: 300_000,
    samplesMax: 50_000_000,
    memoryBytesMax: 128 * 1024 * 1024,
    parser: {},
    features: {},
    disk: systemDisk,
    directory: "",
    perStepStats: true,
    ...more,
  });
}

const plain = {
  stats: "",
  countSamples: false,
  explain: false,
  wholeHistograms: false,
  queuedMs: 0,
  warnings: [],
} as const;
const options = { limit: 0, stats: "" };

/** Rejects where small queries throw at once. */
async function ask(on: QueryService, query: RangeQuery): Promise<Uint8Array> {
  return on.range(query);
}

async function range(text: string, on = service): Promise<unknown> {
  const body = await on.range({ text, startMs, endMs, stepMs: 1000, ...options });
  return JSON.parse(Buffer.from(body).toString());
}

test("a query shared between readers answers as one that is not", async () => {
  const queries = [
    "sum by (group) (rate(requests_total[10s]))",
    "count(requests_total)",
    "max(requests_total) - min(requests_total)",
    "topk(3, requests_total)",
    "requests_total * 2",
    "avg without (id) (requests_total) / on (group) sum by (group) (requests_total)",
  ];
  for (const text of queries) {
    const shared = (await range(text)) as { data: { result: unknown[] } };
    // Series by series, each cheap enough to be evaluated on the calling thread.
    const engine = tsdbEngine();
    assert.deepEqual(shared.data.result, engine(text), text);
  }
});

test("all readers of a query see the same commits", async () => {
  const seriesOfCommit = 3000;
  const refs = Array.from({ length: seriesOfCommit }, (_, i) =>
    tsdb.appender().reference(Labels.from({ __name__: "whole", id: String(i) })),
  );
  let commits = 0;
  const commit = (): void => {
    const appender = tsdb.appender();
    commits++;
    for (const ref of refs) appender.append(ref, endMs + commits, commits);
    appender.commit();
  };
  commit();
  const at = { startMs: endMs + 60_000, endMs: endMs + 90_000, stepMs: 1000 };
  let isDone = false;
  const committing = (async () => {
    while (!isDone) {
      commit();
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  })();
  for (let i = 0; i < 60; i++) {
    const body = await service.range({ text: "max(whole) - min(whole)", ...at, ...options });
    const { data } = JSON.parse(Buffer.from(body).toString()) as {
      data: { result: { values: [number, string][] }[] };
    };
    assert.deepEqual(new Set(data.result[0]!.values.map(([, value]) => value)), new Set(["0"]));
  }
  isDone = true;
  await committing;
  assert.ok(commits > 60, `${commits} commits`);
});

/** Evaluates on this thread alone, without the service. */
function tsdbEngine(): (text: string) => unknown {
  return (text) => {
    const { body } = local().answer({
      kind: "range",
      text,
      startMs,
      endMs,
      stepMs: 1000,
      options: { deadlineMs: Date.now() + 60_000, lookbackDeltaMs: 300_000, limit: 0, ...plain },
    });
    return (JSON.parse(Buffer.from(body).toString()) as { data: { result: unknown } }).data.result;
  };
}

function local(): Answerer {
  const settings = {
    parser: {},
    features: {},
    samplesMax: 50_000_000,
    memoryBytesMax: 128 * 1024 * 1024,
    perStepStats: true,
  };
  return new Answerer({
    kernel,
    queryable: tsdb.queryable,
    clock: systemClock,
    words: new SharedWords(),
    settings,
    reader: -1,
  });
}

test("small queries, metadata and rules' vectors", async () => {
  const small = await service.instant({ text: 'requests_total{id="5"}', timestampMs: endMs, ...options });
  assert.match(Buffer.from(small).toString(), /"value":\[\d+,"366"\]/);
  const vector = await service.vector("sum(requests_total)", endMs);
  assert.equal(vector[0]!.value, (61 * seriesCount * (seriesCount + 1)) / 2);
  const everything = { selectors: [], startMs, endMs, limit: 0 };
  assert.deepEqual(decode(await service.labelNames(everything)), ["__name__", "group", "id"]);
  assert.deepEqual(decode(await service.labelValues("group", everything)), [
    "g0",
    "g1",
    "g2",
    "g3",
    "g4",
    "g5",
    "g6",
  ]);
  const series = decode(await service.series({ ...everything, selectors: ['{id=~"1|2"}'] })) as unknown[];
  assert.equal(series.length, 2);
  const cut = JSON.parse(
    Buffer.from(await service.labelValues("id", { ...everything, limit: 5 })).toString(),
  ) as unknown;
  assert.deepEqual(cut, {
    status: "success",
    data: ["0", "1", "10", "100", "1000"],
    warnings: ["results truncated due to limit"],
  });
});

function decode(body: Uint8Array): unknown {
  return (JSON.parse(Buffer.from(body).toString()) as { data: unknown }).data;
}

test("failures keep their code on the way between threads", async () => {
  await assert.rejects(range("sum("), { code: "bad_data" });
  await assert.rejects(service.series({ selectors: ["{}"], startMs, endMs, limit: 0 }), { code: "bad_data" });
  await assert.rejects(range("requests_total * on (group) requests_total"), { code: "execution" });
  const strict = openService({ samplesMax: 1000 });
  await assert.rejects(range("requests_total * 2", strict), { code: "execution" });
  await strict.close();
});

test("a query can be cancelled by its client and killed by its number", async () => {
  const text = "sum(quantile_over_time(0.5, rate(requests_total[30s])[10m:10ms]))";
  const abort = new AbortController();
  const cancelled = ask(service, {
    text,
    startMs,
    endMs,
    stepMs: 1000,
    ...options,
    signal: () => abort.signal,
  });
  setTimeout(() => abort.abort(), 50);
  await assert.rejects(cancelled, { code: "canceled" });
  const killed = ask(service, { text, startMs, endMs, stepMs: 1000, ...options });
  setTimeout(() => assert.ok(service.active().every(({ id }) => service.kill(id))), 50);
  await assert.rejects(killed, { code: "canceled" });
  assert.deepEqual(service.active(), []);
});

interface Answered {
  data: {
    result: unknown[];
    stats: QueryStats;
    explain: ExplainNode;
  };
  warnings?: string[];
}

test("stats count the same samples whether a query is shared or not", async () => {
  const expected = local().answer({
    kind: "range",
    text: "sum(rate(requests_total[10s])) + sum(rate(requests_total[10s]))",
    startMs,
    endMs,
    stepMs: 1000,
    options: {
      deadlineMs: Date.now() + 60_000,
      lookbackDeltaMs: 300_000,
      limit: 0,
      ...plain,
      stats: "all",
      countSamples: true,
    },
  }).stats!.samples;
  const body = await service.range({
    text: "sum(rate(requests_total[10s])) + sum(rate(requests_total[10s]))",
    startMs,
    endMs,
    stepMs: 1000,
    limit: 0,
    stats: "all",
  });
  const { samples, timings } = (JSON.parse(Buffer.from(body).toString()) as Answered).data.stats;
  const perStep = Array.from(
    { length: sampleCount + 1 },
    (_, step) => 2 * seriesCount * Math.min(step + 1, 10),
  );
  assert.deepEqual(
    samples.totalQueryableSamplesPerStep!.map(([, count]) => count),
    perStep,
  );
  assert.equal(samples.samplesRead, 2 * seriesCount * (sampleCount + 1));
  assert.ok(samples.peakSamples > 0);
  assert.deepEqual({ ...samples, peakSamples: 0 }, { ...expected, peakSamples: 0 });
  assert.ok(timings.execTotalTime >= timings.evalTotalTime && timings.evalTotalTime >= timings.innerEvalTime);
  const instant = async (stats: string): Promise<Answered> => {
    const answer = await service.instant({
      text: "sum(requests_total)",
      timestampMs: endMs,
      limit: 0,
      stats,
    });
    return JSON.parse(Buffer.from(answer).toString()) as Answered;
  };
  assert.equal((await instant("true")).data.stats.samples.totalQueryableSamplesPerStep, undefined);
  assert.match((await instant("yes")).warnings![0]!, /^value "yes" for parameter "stats" is deprecated/);
});

test("explain tells what each reader did", async () => {
  const text = "sum by (group) (rate(requests_total[10s])) / 2";
  const body = await service.range({ text, startMs, endMs, stepMs: 1000, ...options, explain: true });
  const { explain } = (JSON.parse(Buffer.from(body).toString()) as Answered).data;
  assert.equal(explain.operator, "scalarBinary");
  const [sum] = explain.children;
  assert.equal(sum!.text, "sum by (group) (rate(requests_total[10s]))");
  assert.deepEqual([sum!.detail, sum!.fragment, sum!.series], ["sum by (group)", 0, 7]);
  assert.deepEqual(new Set(sum!.threads.map(({ reader }) => reader)), new Set([0, 1]));
  const [rate] = sum!.children;
  assert.equal(rate!.series, seriesCount);
  assert.equal(rate!.samples, seriesCount * sampleCount);
  assert.ok(explain.wallMs >= sum!.wallMs && sum!.wallMs >= rate!.wallMs && rate!.wallMs > 0);
});

const hurting = "sum(quantile_over_time(0.5, rate(requests_total[30s])[10m:10ms]))";

async function until(condition: () => boolean): Promise<void> {
  const deadlineMs = Date.now() + 10_000;
  while (!condition()) {
    assert.ok(Date.now() < deadlineMs, "not in time");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

test("a running query is listed with what it has read, and noted in the data directory", async () => {
  const noted = openService({ directory, concurrencyMax: 1 });
  const query = { text: hurting, startMs, endMs, stepMs: 1000, ...options };
  const origin = { httpRequest: { clientIP: "127.0.0.1", method: "GET", path: "/api/v1/query_range" } };
  const running = ask(noted, { ...query, user: () => "ada", origin: () => origin });
  const waiting = ask(noted, query);
  const ended = Promise.all([running, waiting].map((each) => assert.rejects(each, { code: "canceled" })));
  await until(() => noted.active()[0]!.samples > 0);
  const [first, second] = noted.active();
  assert.deepEqual(
    [first!.text, first!.user, first!.origin, first!.state],
    [hurting, "ada", origin, "running"],
  );
  assert.ok(first!.memoryBytes > 0 && first!.ageMs > 0);
  assert.deepEqual([second!.state, second!.samples, second!.user], ["waiting", 0, undefined]);
  assert.equal(decodeUnfinished(readFileSync(join(directory, "queries.active")))[0]!.query, hurting);
  for (const { id } of noted.active()) assert.equal(noted.kill(id), true);
  await ended;
  assert.equal(noted.kill(first!.id), false);
  assert.deepEqual(decodeUnfinished(readFileSync(join(directory, "queries.active"))), []);
  await noted.close();
});

test("reader threads that nobody asks end, and start again for the next query", async (t) => {
  let rest = (): void => undefined;
  const clock: Clock = {
    ...systemClock,
    after(delayMs, callback) {
      if (delayMs !== idleMsMax) return systemClock.after(delayMs, callback);
      rest = callback;
      return { cancel: () => (rest = (): void => undefined) };
    },
  };
  const expected = await range("sum(requests_total)");
  const own = openService({ clock });
  t.after(() => own.close());
  await readers(service.readers);
  assert.deepEqual(await range("sum(requests_total)", own), expected);
  await readers(service.readers + own.readers);
  rest();
  await readers(service.readers);
  assert.deepEqual(await range("sum(requests_total)", own), expected);
});

test("a query that one reader answers starts one", async (t) => {
  const own = openService();
  t.after(() => own.close());
  await readers(service.readers);
  await own.labelNames({ selectors: [], startMs, endMs, limit: 0 });
  assert.equal(claimedReaders(), service.readers + 1);
  await own.labelNames({ selectors: [], startMs, endMs, limit: 0 });
  assert.equal(claimedReaders(), service.readers + 1);
  await range("sum(requests_total)", own);
  await readers(service.readers + 2);
});

test("what only files know is shared when the reader that looks finds it large", async (t) => {
  // As the thread sees it where queries arrive and the head tells nothing: any of the series may be meant.
  const own = openService({
    queryable: {
      querier: () => ({ seriesCountMax: () => 0, close: () => undefined }) as Partial<Querier> as Querier,
      filesUntilMs: () => Infinity,
      storedSeriesMax: () => seriesCount,
    },
  });
  t.after(() => own.close());
  const threads = async (text: string): Promise<number> => {
    const query = { text, startMs, endMs, stepMs: 1000, ...options, explain: true };
    const { data } = JSON.parse(Buffer.from(await own.range(query)).toString()) as {
      data: { result: unknown[]; explain: ExplainNode };
    };
    assert.deepEqual(data.result, ((await range(text)) as { data: { result: unknown[] } }).data.result);
    let leaf = data.explain;
    while (leaf.children.length > 0) leaf = leaf.children[0]!;
    return leaf.threads.length;
  };
  assert.equal(await threads(`sum(requests_total{id="7"})`), 1);
  assert.equal(await threads("sum(requests_total)"), 2);
});

/**
 * Waits until so many slots of readers are taken. A shared query takes one for its snapshot, and gives it back when the last reader has reported, which may be after the
 * answer; threads give theirs back when they have ended.
 */
async function readers(count: number): Promise<void> {
  await until(() => claimedReaders() === count);
}

function claimedReaders(): number {
  const { control, reader } = layout;
  const claimed = (slot: number): number =>
    kernel.views.u32[(control.readers + slot * reader.bytes + reader.claimed) >>> 2]!;
  return Array.from({ length: reader.slots }, (_, slot) => claimed(slot)).reduce(
    (sum, each) => sum + each,
    0,
  );
}

test("limits have upstream's errors", async () => {
  const strict = openService({ timeoutMs: 150, concurrencyMax: 1 });
  const small = openService({ memoryBytesMax: 2 * 1024 * 1024 });
  const query = { text: hurting, startMs, endMs, stepMs: 1000, ...options };
  await Promise.all([
    assert.rejects(ask(strict, query), { code: "timeout" }),
    assert.rejects(ask(strict, { ...query, timeoutMs: 20 }), {
      code: "timeout",
      message: "query timed out in query queue",
    }),
  ]);
  await assert.rejects(
    ask(small, { ...query, text: "sum by (id) (requests_total)" }),
    /memory budget|memory/,
  );
  const few = openService({ samplesMax: 1000 });
  await assert.rejects(ask(few, { ...query, text: "requests_total * 2" }), {
    code: "execution",
    message: "query processing would load too many samples into memory in query execution",
  });
  await Promise.all([strict.close(), small.close(), few.close()]);
});

test("queries made to hurt are answered or refused, and small ones are answered meanwhile", async () => {
  const query = { startMs, endMs, stepMs: 10, ...options };
  const chain = Array.from({ length: 1900 }, (_, i) => `requests_total{id="${i}"}`).join(" or ");
  const texts = [
    `count({__name__=~".+"})`,
    `{id=~"${"(x+x+)+".repeat(20)}y"}`,
    `{id=~"(a{1,999})${"(b{1,999})".repeat(100)}"}`,
    `${"(".repeat(499)}requests_total{id="1"}${")".repeat(499)}`,
    `${"(".repeat(100_000)}1`,
    "-".repeat(400) + "sum(requests_total)",
    chain,
    `${chain} or ${chain}`,
    `label_replace(requests_total, "x", "$1", "id", "(.*.*.*.*)*z")`,
  ];
  let longestMs = 0;
  let last = performance.now();
  const ticks = setInterval(() => {
    longestMs = Math.max(longestMs, performance.now() - last);
    last = performance.now();
  }, 5);
  const ended = Promise.allSettled(texts.map((text) => ask(service, { text, ...query, timeoutMs: 5000 })));
  let small = 0;
  let isOver = false;
  void ended.then(() => (isOver = true));
  while (!isOver) {
    await service.instant({ text: 'requests_total{id="5"}', timestampMs: endMs, ...options });
    small++;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  clearInterval(ticks);
  for (const result of await ended) {
    if (result.status === "fulfilled") continue;
    assert.ok(
      result.reason instanceof NarthexError && result.reason.code !== "internal",
      String(result.reason),
    );
  }
  assert.ok(small > 10);
  assert.ok(longestMs < 500, `the calling thread was busy for ${longestMs} ms`);
});

test("long texts are parsed by readers", async () => {
  const sum = Array.from({ length: 1500 }, (_, i) => `requests_total{id="${i}"}`).join("+");
  const formatted = decode(await service.format(sum)) as string;
  assert.ok(sum.length > 20_000 && formatted.startsWith("  "));
  assert.equal(decode(await service.format("a+b")), "a + b");
  assert.equal((decode(await service.parse(sum)) as { type: string }).type, "binaryExpr");
  await assert.rejects(service.format(`${sum}+`), { code: "bad_data" });
  const body = await service.instant({ text: sum, timestampMs: endMs, ...options });
  assert.deepEqual(decode(body), { resultType: "vector", result: [] });
});
