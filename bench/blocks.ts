/** Stored data, the same for every system: some targets' series over one block's time. */
import { cpSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { systemDisk } from "../src/base/index.ts";
import { createKernel } from "../src/kernel/index.ts";
import { createHistogram, Labels } from "../src/model/index.ts";
import type { StoredHistogram } from "../src/storage/index.ts";
import { createUlid } from "../src/tsdb/index.ts";
import { BlockWriter } from "../src/tsdb/block/block-writer.ts";
import { IndexSymbols } from "../src/tsdb/block/index-symbols.ts";
import { type Range, post } from "./client.ts";
import { targetSeries } from "./series.ts";

/** A range of upstream's compaction, so that nobody compacts the block while it is measured. */
const blockMs = 54 * 3_600_000;
const askedMs = 24 * 3_600_000;
const sampleIntervalMs = 15_000;
/** No window begins at a sample, which would count before Prometheus 3 and since then does not. */
const offsetMs = 137;
const samplesPerSeries = blockMs / sampleIntervalMs;
const seriesPerTarget = 100;
const nativePerTarget = 5;
const nativeBuckets = 24;

interface StoredSeries {
  labels: Labels;
  /** A native histogram where there are no floats. */
  readonly valueAt: ((second: number) => number) | undefined;
}

export class StoredBlocks {
  readonly #directory: string;
  readonly #startMs: number;
  readonly #series: readonly StoredSeries[];

  /** Writes the block into `directory`, which is made. */
  constructor(directory: string, seriesCount: number) {
    this.#directory = directory;
    // Well before anything that is scraped during the run.
    this.#startMs = Math.floor((Date.now() - 3_600_000 * 4) / blockMs - 1) * blockMs;
    this.#series = storedSeries(Math.ceil(seriesCount / seriesPerTarget));
    mkdirSync(directory);
    this.#write();
  }

  /** By the minute, the last day: windows of a day have all their samples. */
  get range(): Range {
    const end = (this.#startMs + blockMs) / 1000;
    return { start: end - askedMs / 1000, end, step: 60 };
  }

  get samples(): number {
    return this.#series.length * samplesPerSeries;
  }

  /** For systems that open Prometheus' blocks; before they start. */
  copyTo(dataDirectory: string): void {
    mkdirSync(dataDirectory, { recursive: true });
    for (const block of readdirSync(this.#directory))
      cpSync(join(this.#directory, block), join(dataDirectory, block), { recursive: true });
  }

  /** For VictoriaMetrics: a line of JSON for each series. */
  async importTo(port: number): Promise<void> {
    const timestamps = this.#timestamps();
    const linesPerRequest = 100;
    for (let from = 0; from < this.#series.length; from += linesPerRequest) {
      const lines = this.#series.slice(from, from + linesPerRequest).flatMap(({ labels, valueAt }) => {
        if (valueAt === undefined) return [];
        const values = timestamps.map((ms) => valueAt(Math.floor(ms / 1000)));
        return [JSON.stringify({ metric: Object.fromEntries(labels), timestamps, values })];
      });
      await post(port, "/api/v1/import", lines.join("\n"));
    }
    // What was imported becomes visible within a second or so.
    await post(port, "/internal/force_flush", "");
  }

  #timestamps(): number[] {
    return Array.from(
      { length: samplesPerSeries },
      (_, i) => this.#startMs + offsetMs + i * sampleIntervalMs,
    );
  }

  #write(): void {
    const kernel = createKernel({ limitBytes: 512 * 1024 * 1024 });
    const ulid = createUlid(this.#startMs);
    const symbols = IndexSymbols.of(this.#series.flatMap(({ labels }) => labels.pairs));
    const target = { kernel, disk: systemDisk, dataDirectory: this.#directory, ulid };
    const writer = new BlockWriter(target, symbols);
    const timestamps = kernel.scratch.allocate(8 * samplesPerSeries);
    const values = kernel.scratch.allocate(8 * samplesPerSeries);
    const { f64 } = kernel.views;
    f64.set(this.#timestamps(), timestamps / 8);
    const histograms = this.#timestamps().map(nativeHistogram);
    for (const { labels, valueAt } of this.#series) {
      if (valueAt === undefined) writer.addHistograms(histograms);
      else {
        for (let i = 0; i < samplesPerSeries; i++)
          f64[values / 8 + i] = valueAt(Math.floor(f64[timestamps / 8 + i]! / 1000));
        writer.addSamples({ timestamps, values, count: samplesPerSeries });
      }
      writer.endSeries(symbols.symbolsOf(labels.pairs));
    }
    writer.finish(this.#startMs, this.#startMs + blockMs, { level: 1, sources: [ulid] });
  }
}

/** The `sample`th of a series: its buckets grow, each at its own pace. */
function nativeHistogram(timestampMs: number, sample: number): StoredHistogram {
  const indices = Array.from({ length: nativeBuckets }, (_, bucket) => bucket - nativeBuckets / 2);
  const counts = indices.map((_, bucket) => sample * (1 + ((bucket * 7) % 11)));
  const count = counts.reduce((sum, each) => sum + each, 0);
  const histogram = createHistogram({ schema: 2, count, sum: count / 4, positive: { indices, counts } });
  return { kind: "integer", timestampMs, histogram, startTimestampMs: 0 };
}

/** In the order of their labels. */
function storedSeries(targets: number): StoredSeries[] {
  const all: StoredSeries[] = [];
  for (let target = 0; target < targets; target++) {
    const own = { instance: `stored-${target}:9100`, job: "stored" };
    all.push({ labels: Labels.from({ ...own, __name__: "up" }), valueAt: () => 1 });
    for (const { name, labels, valueAt } of targetSeries(target, seriesPerTarget))
      all.push({ labels: Labels.from({ ...labels, ...own, __name__: name }), valueAt });
    for (let service = 0; service < nativePerTarget; service++) {
      const labels = { ...own, service: `s${service}`, __name__: "http_request_native_seconds" };
      all.push({ labels: Labels.from(labels), valueAt: undefined });
    }
  }
  return all.sort((a, b) => a.labels.compare(b.labels));
}
