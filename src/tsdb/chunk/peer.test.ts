import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { systemDisk } from "../../base/index.ts";
import {
  bytesField,
  family,
  metric,
  nativeHistogramFields,
  protobufContentType,
} from "../../exposition/testing/protobuf-writer.ts";
import { createKernel } from "../../kernel/index.ts";
import { createHistogram, type Histogram } from "../../model/index.ts";
import { histogramJson } from "../../model/histogram/testing.ts";
import { Block } from "../block/block.ts";
import { BlockNotices } from "../block/damage.ts";
import { BlockQuerier } from "../block/querier.ts";
import { testContext } from "../block/test-support.ts";
import { kernelBytes, temporaryDirectory } from "../test-support.ts";
import { decodeHistogramRecord, encodeHistogramRecords } from "../wal/histogram-record.ts";
import { SegmentReader } from "../wal/reader.ts";
import { recordType } from "../wal/record.ts";
import type { HistogramSample } from "../../storage/index.ts";
import { HistogramChunk } from "./histogram-chunk.ts";
import { decodeHistogramChunk } from "./histogram-decode.ts";
import { freePort } from "../../../test/support/free-port.ts";
import { isOldPeer, peerBinary, skipWithout } from "../../../test/support/peers.ts";

const skip = skipWithout("prometheus");
const scrapesMin = 25;

test("Prometheus' chunks and WAL of native histograms", { skip, timeout: 120_000 }, async (t) => {
  const directory = temporaryDirectory();
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const target = await startTarget();
  t.after(() => target.server.close());
  const prometheus = await startPrometheus(directory, target.port);
  let theirs: string[];
  let untilMs: number;
  try {
    while (target.scrapes() < scrapesMin) await sleep(200);
    const url = `http://127.0.0.1:${prometheus.port}/api/v1`;
    untilMs = Date.now();
    // What has an earlier time may still be on its way into the storage.
    await sleep(1000);
    theirs = await ask(url, untilMs);
  } finally {
    prometheus.process.kill("SIGTERM");
    await once(prometheus.process, "exit");
  }

  const known = new Set(theirs);
  const chunks = histogramChunks(`${directory}/data/chunks_head`);
  const kinds = new Set(chunks.map(({ encoding }) => encoding));
  assert.deepEqual(
    [...kinds].toSorted((a, b) => a - b),
    [2, 3],
    "integer histograms are scraped, float histograms come from rules",
  );
  let decoded = 0;
  for (const { encoding, bytes } of chunks) {
    for (const sample of decodeHistogramChunk(encoding, bytes)) {
      // A scrape that came too late leaves markers, which no query shows.
      if (sample.timestampMs > untilMs || sample.histogram.isStale) continue;
      assert.ok(known.has(describe(sample)), describe(sample));
      decoded++;
    }
    const again = HistogramChunk.resume(encoding, bytes);
    assert.deepEqual(Buffer.from(again.bytes()), bytes, "a chunk written anew is the same");
  }
  assert.ok(decoded > 50, `${decoded} samples`);

  const logged = new Set<string>();
  for (const { type, record } of walRecords(`${directory}/data/wal`)) {
    const { entries, skipped } = decodeHistogramRecord(record);
    assert.equal(skipped, 0);
    const kind = type === recordType.histogramSamples ? "integer" : "float";
    for (const entry of entries) {
      assert.equal(entry.kind, kind);
      if (!entry.histogram.isStale) logged.add(describe(entry));
    }
    assert.deepEqual(encodeHistogramRecords(entries), [record]);
  }
  assert.deepEqual(
    theirs.filter((sample) => !logged.has(sample)),
    [],
  );
});

test("Prometheus' blocks of native histograms", { skip, timeout: 120_000 }, async (t) => {
  const directory = temporaryDirectory();
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const target = await startTarget();
  t.after(() => target.server.close());
  // The version at hand cannot write a block of histograms that were reset.
  const prometheus = await startPrometheus(directory, target.port, true);
  try {
    while (target.scrapes() < scrapesMin) await sleep(100);
    const url = `http://127.0.0.1:${prometheus.port}/api/v1`;
    const untilMs = Date.now();
    await sleep(500);
    const theirs = await ask(url, untilMs);
    const snapshot = await fetch(`${url}/admin/tsdb/snapshot`, { method: "POST" });
    assert.equal(snapshot.status, 200, await snapshot.text());
    assert.ok(theirs.length > 20);
    assert.deepEqual(readSnapshot(`${directory}/data/snapshots`, untilMs), theirs);
  } finally {
    prometheus.process.kill("SIGTERM");
    await once(prometheus.process, "exit");
  }
});

/** The histograms up to a time in the blocks of the one snapshot, as `describe` writes them, sorted. */
function readSnapshot(directory: string, untilMs: number): string[] {
  const context = testContext();
  const [snapshot] = readdirSync(directory);
  const samples: string[] = [];
  for (const ulid of readdirSync(`${directory}/${snapshot}`)) {
    const block = Block.open(context, `${directory}/${snapshot}/${ulid}`);
    const querier = new BlockQuerier(block, new BlockNotices(assert.fail));
    const set = querier.select([], { minTimestampMs: 0, maxTimestampMs: untilMs });
    for (let series = 0; series < set.length; series++)
      samples.push(...set.readHistograms!(series, 0, untilMs, true).map(describe));
    querier.close();
    block.release();
  }
  return samples.sort();
}

function describe({ timestampMs, histogram }: HistogramSample): string {
  return `${timestampMs} ${JSON.stringify(histogramJson(histogram))}`;
}

/** Histograms that change with every scrape: one steadily, one into new buckets, one that is reset at times, and a gauge. */
function body(scrape: number): Buffer {
  const integer = 4;
  const gauge = 5;
  const noop = bytesField(12, []);
  const one = (name: string, type: number, histogram: Histogram, isFloat = false): Buffer =>
    family(name, type, [
      metric({ kind: name }, bytesField(7, [...nativeHistogramFields(histogram, isFloat), noop])),
    ]);
  const side = (from: number, counts: number[]): Histogram["positive"] => ({
    indices: counts.map((_, i) => from + 2 * i),
    counts,
  });
  const make = (fields: Partial<Histogram>): Histogram => {
    const histogram = createHistogram({ schema: 3, zeroThreshold: 2 ** -128, sum: scrape / 3, ...fields });
    const counts = [...histogram.positive.counts, ...histogram.negative.counts];
    return { ...histogram, count: counts.reduce((a, b) => a + b, histogram.zeroCount) };
  };
  const since = scrape % 12;
  return Buffer.concat([
    one(
      "h_steady",
      integer,
      make({ positive: side(-5, [3 + scrape, 5 + 2 * scrape]), negative: side(1, [scrape + 1]) }),
    ),
    one(
      "h_growing",
      integer,
      make({
        schema: 0,
        zeroThreshold: 0.001,
        zeroCount: scrape,
        positive: side(
          scrape % 5,
          Array.from({ length: 12 }, (_, i) => 1 + i * scrape),
        ),
      }),
    ),
    one("h_reset", integer, make({ zeroThreshold: 0, positive: side(0, [1 + since, 7 * since + 1]) })),
    one(
      "h_gauge",
      gauge,
      make({ positive: side(scrape % 3, [9 + (scrape % 4), 2]), negative: side(2, [1 + (scrape % 2)]) }),
    ),
    one(
      "h_float",
      integer,
      make({ positive: side(since % 3, [1.5 + since, 7 * since + 0.25]), zeroCount: since / 8 }),
      true,
    ),
    one("h_empty", integer, make({ zeroThreshold: 0 })),
  ]);
}

async function startTarget(): Promise<{ server: Server; port: number; scrapes: () => number }> {
  let scrapes = 0;
  const server = createServer((request, response) => {
    assert.ok(request.headers.accept?.includes("application/vnd.google.protobuf"));
    response.setHeader("Content-Type", protobufContentType).end(body(scrapes++));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { server, port: (server.address() as { port: number }).port, scrapes: () => scrapes };
}

async function startPrometheus(
  directory: string,
  target: number,
  isSteady = false,
): Promise<{ process: ChildProcess; port: number }> {
  const rules = [
    { record: "rule_sum", expr: 'sum({__name__=~"h_steady|h_growing"})' },
    { record: "rule_rate", expr: "rate(h_steady[1s])" },
  ];
  writeFileSync(
    `${directory}/rules.yml`,
    JSON.stringify({ groups: [{ name: "g", interval: "100ms", rules }] }),
  );
  writeFileSync(
    `${directory}/prometheus.yml`,
    JSON.stringify({
      global: {
        scrape_interval: "100ms",
        scrape_timeout: "100ms",
        evaluation_interval: "100ms",
        ...(isOldPeer("prometheus") ? {} : { scrape_native_histograms: true }),
      },
      rule_files: isSteady ? [] : [`${directory}/rules.yml`],
      scrape_configs: [
        {
          job_name: "test",
          static_configs: [{ targets: [`127.0.0.1:${target}`] }],
          metric_relabel_configs: isSteady
            ? [{ source_labels: ["__name__"], regex: "h_(steady|empty)", action: "keep" }]
            : [],
        },
      ],
    }),
  );
  const port = await freePort();
  const process = spawn(
    peerBinary("prometheus"),
    [
      `--config.file=${directory}/prometheus.yml`,
      `--storage.tsdb.path=${directory}/data`,
      `--web.listen-address=127.0.0.1:${port}`,
      ...(isOldPeer("prometheus") ? ["--enable-feature=native-histograms"] : []),
      "--web.enable-admin-api",
      "--log.level=error",
    ],
    { stdio: ["ignore", "ignore", "inherit"] },
  );
  return { process, port };
}

interface Answer {
  metric: Record<string, string>;
  /** Of an instant query. */
  histogram?: [seconds: number, json: unknown];
  /** Of a range of samples; the version at hand gives them the right times and wrong contents. */
  histograms?: [seconds: number, json: unknown][];
}

const selector = '{__name__=~"h_.*|rule_.*"}';

/** Every histogram sample up to a time, as `describe` writes it, sorted; asked for one by one. */
async function ask(url: string, untilMs: number): Promise<string[]> {
  const samples: string[] = [];
  const seriesAt = new Map<number, Set<string>>();
  for (const { metric, histograms } of await query(url, `${selector}[1h]`, untilMs)) {
    for (const [seconds] of histograms ?? []) {
      const series = seriesAt.get(Math.round(seconds * 1000)) ?? new Set();
      seriesAt.set(Math.round(seconds * 1000), series.add(metric.__name__!));
    }
  }
  for (const [timestampMs, series] of seriesAt) {
    for (const { metric, histogram } of await query(url, selector, timestampMs)) {
      if (series.has(metric.__name__!)) samples.push(`${timestampMs} ${JSON.stringify(histogram![1])}`);
    }
  }
  return samples.sort();
}

async function query(url: string, text: string, timestampMs: number): Promise<Answer[]> {
  const parameters = new URLSearchParams({ query: text, time: String(timestampMs / 1000) });
  const response = await fetch(`${url}/query?${parameters.toString()}`);
  return ((await response.json()) as { data: { result: Answer[] } }).data.result;
}

/** The chunks of encodings 2 and 3 among those that the head has written: ref, times, encoding, uvarint length, data, checksum. */
function histogramChunks(directory: string): { encoding: 2 | 3; bytes: Buffer }[] {
  const chunks: { encoding: 2 | 3; bytes: Buffer }[] = [];
  for (const name of readdirSync(directory)) {
    const file = readFileSync(`${directory}/${name}`);
    // The file may end in zeros that were set aside.
    for (let at = 8; at < file.length && file.readBigUInt64BE(at) !== 0n;) {
      at += 24;
      const encoding = file[at++]!;
      let length = 0;
      let scale = 1;
      for (; file[at]! >= 0x80; scale *= 128) length += (file[at++]! & 0x7f) * scale;
      length += file[at++]! * scale;
      if (encoding === 2 || encoding === 3) chunks.push({ encoding, bytes: file.subarray(at, at + length) });
      at += length + 4;
    }
  }
  return chunks;
}

/** The WAL's records of histograms. */
function* walRecords(directory: string): Generator<{ type: number; record: Uint8Array }> {
  const kernel = createKernel({ limitBytes: kernelBytes });
  const segments = readdirSync(directory).filter((name) => /^\d+$/.test(name));
  for (const name of segments.sort()) {
    const reader = new SegmentReader(kernel, systemDisk, `${directory}/${name}`);
    for (let record = reader.next(); record !== undefined; record = reader.next()) {
      const type = record[0]!;
      if (type === recordType.histogramSamples || type === recordType.floatHistogramSamples) {
        yield { type, record: Uint8Array.from(record) };
      }
    }
    reader.close();
  }
}
