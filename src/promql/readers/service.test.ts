import { Registry } from "@narthex/client";
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { silentLogger, systemClock, systemDisk } from "../../base/index.ts";
import { type Kernel, createKernel } from "../../kernel/index.ts";
import { Labels } from "../../model/index.ts";
import { type Tsdb, openTsdb } from "../../tsdb/index.ts";
import { Answerer } from "./answer.ts";
import { SharedWords } from "./messages.ts";
import { QueryService, type QueryServiceOptions } from "./service.ts";

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
  await service.ready;
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

const plain = { stats: "", countSamples: false, explain: false, queuedMs: 0, warnings: [] } as const;
const options = { limit: 0, stats: "" };

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
  await strict.ready;
  await assert.rejects(range("requests_total * 2", strict), { code: "execution" });
  await strict.close();
});

test("a query can be cancelled by its client and killed by its number", async () => {
  const text = "sum(quantile_over_time(0.5, rate(requests_total[30s])[10m:10ms]))";
  const abort = new AbortController();
  const cancelled = service.range({
    text,
    startMs,
    endMs,
    stepMs: 1000,
    ...options,
    signal: () => abort.signal,
  });
  setTimeout(() => abort.abort(), 50);
  await assert.rejects(cancelled, { code: "canceled" });
  const killed = service.range({ text, startMs, endMs, stepMs: 1000, ...options });
  setTimeout(() => assert.ok(service.active().every(({ id }) => service.kill(id))), 50);
  await assert.rejects(killed, { code: "canceled" });
  assert.deepEqual(service.active(), []);
});
