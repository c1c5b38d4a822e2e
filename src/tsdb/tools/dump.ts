import { type Disk, NarthexError, silentLogger } from "../../base/index.ts";
import type { Kernel } from "../../kernel/index.ts";
import {
  formatHistogram,
  formatIntegerHistogram,
  formatShortest,
  type Labels,
  type Matcher,
  metricNameLabel,
  quoteGo,
  toGoJson,
} from "../../model/index.ts";
import type { StoredHistogram, SeriesSet } from "../../storage/index.ts";
import { listBlockUlids } from "../block/directory.ts";
import { readMeta } from "../block/meta.ts";
import { Head } from "../head/head.ts";
import { resolveOptions } from "../options.ts";
import { createQueryable } from "../queryable.ts";
import { outOfOrderHint, replayOutOfOrder } from "../out-of-order/index.ts";
import { replayWal } from "../wal/replay.ts";
import { checkDataDirectory, type Output } from "./format.ts";
import { readOnlyDisk } from "./read-only-disk.ts";

export type DumpFormat = "prom" | "seriesjson" | "openmetrics";

export interface DumpOptions {
  /** Milliseconds, inclusive. */
  readonly minTimestampMs: number;
  readonly maxTimestampMs: number;
  /** A series is printed when it matches one of the selectors. */
  readonly selectors: readonly (readonly Matcher[])[];
  readonly format: DumpFormat;
}

/** The samples of one series, in the shared memory. */
interface SeriesSamples {
  readonly labels: Labels;
  readonly timestamps: Float64Array;
  readonly values: Float64Array;
  readonly histograms: readonly StoredHistogram[];
}

/**
 * Prints the samples of a data directory, blocks and write-ahead log, by series in the order of their labels. Nothing on disk is changed. `kernel` is
 * a memory of its own. Rejects with `not_found`, the disk's error, `unavailable` when the log does not fit the memory, and, when all that can be read
 * is printed, with `internal` when something could not.
 */
export async function dumpSamples(
  kernel: Kernel,
  disk: Disk,
  dataDirectory: string,
  options: DumpOptions,
  output: Output,
): Promise<void> {
  checkDataDirectory(disk, dataDirectory);
  const quiet = readOnlyDisk(disk);
  await loadHead(kernel, quiet, dataDirectory);
  const leftOut = new Set<string>();
  const queryable = createQueryable({
    kernel,
    disk: quiet,
    directory: dataDirectory,
    onLeftOut: ({ message }) => leftOut.add(message),
  });
  const { minTimestampMs, maxTimestampMs, selectors, format } = options;
  const querier = queryable.querier(minTimestampMs, maxTimestampMs);
  const print = printers[format];
  const mark = kernel.scratch.mark();
  try {
    const sets = selectors.map((matchers) =>
      querier.select(matchers, { minTimestampMs, maxTimestampMs }, true),
    );
    for (const [set, series] of merged(sets)) {
      print(readSamples(kernel, set, series, options), output);
      kernel.scratch.release(mark);
    }
  } finally {
    querier.close();
    queryable.close();
  }
  if (format === "openmetrics") output("# EOF\n");
  if (leftOut.size > 0) throw new NarthexError("internal", [...leftOut].join("\n"));
}

/** Reads the write-ahead log, but for what is in blocks. */
async function loadHead(kernel: Kernel, disk: Disk, dataDirectory: string): Promise<void> {
  const { chunkRangeMs, samplesPerChunk } = resolveOptions({});
  const blocks = listBlockUlids(disk, dataDirectory).map((ulid) =>
    readMeta(disk, `${dataDirectory}/${ulid}`),
  );
  const inOrder = blocks.filter(({ compaction }) => !compaction.hints?.includes(outOfOrderHint));
  const minValidTimeMs = inOrder.reduce((latest, { maxTime }) => Math.max(latest, maxTime), -Infinity);
  const common = { head: new Head(kernel), disk, logger: silentLogger };
  const { refs } = await replayWal({
    ...common,
    directory: `${dataDirectory}/wal`,
    chunkRangeMs,
    samplesPerChunk,
    minValidTimeMs,
    isCancelled: () => false,
  });
  await replayOutOfOrder({
    ...common,
    directory: `${dataDirectory}/wbl`,
    refs,
  });
}

/** The series of sorted sets in order, each once. */
function* merged(sets: readonly SeriesSet[]): Generator<readonly [SeriesSet, number]> {
  if (sets.length === 1) {
    for (let series = 0; series < sets[0]!.length; series++) yield [sets[0]!, series];
    return;
  }
  const at = sets.map((set, number) => ({ set, number, series: 0, labels: undefined as Labels | undefined }));
  const load = (cursor: (typeof at)[number]): void => {
    cursor.labels = cursor.series < cursor.set.length ? cursor.set.labels(cursor.series) : undefined;
  };
  at.forEach(load);
  for (;;) {
    let first: (typeof at)[number] | undefined;
    for (const cursor of at)
      if (cursor.labels && (!first || cursor.labels.compare(first.labels!) < 0)) first = cursor;
    if (!first) return;
    const labels = first.labels!;
    yield [first.set, first.series];
    for (const cursor of at) {
      if (cursor.labels?.compare(labels) !== 0) continue;
      cursor.series++;
      load(cursor);
    }
  }
}

function readSamples(
  { scratch, views }: Kernel,
  set: SeriesSet,
  series: number,
  { minTimestampMs, maxTimestampMs, format }: DumpOptions,
): SeriesSamples {
  const labels = set.labels(series);
  if (format === "seriesjson")
    return { labels, timestamps: new Float64Array(), values: new Float64Array(), histograms: [] };
  const capacity = set.sampleCountMax(series, minTimestampMs, maxTimestampMs);
  const timestamps = scratch.allocate(8 * capacity);
  const values = scratch.allocate(8 * capacity);
  // OpenMetrics has neither stale markers nor native histograms.
  const dropStale = format === "openmetrics";
  const columns = { timestamps, values, capacity };
  const count = set.read(series, minTimestampMs, maxTimestampMs, dropStale, columns);
  const histograms =
    format === "prom" ? (set.readHistograms?.(series, minTimestampMs, maxTimestampMs, false) ?? []) : [];
  return {
    labels,
    timestamps: views.f64.subarray(timestamps / 8, timestamps / 8 + count),
    values: views.f64.subarray(values / 8, values / 8 + count),
    histograms,
  };
}

const printers: Readonly<Record<DumpFormat, (samples: SeriesSamples, output: Output) => void>> = {
  prom: ({ labels, timestamps, values, histograms }, output) => {
    const text = labels.toString();
    let next = 0;
    const printHistograms = (untilMs: number): void => {
      for (; next < histograms.length && histograms[next]!.timestampMs < untilMs; next++) {
        const { histogram, kind, timestampMs } = histograms[next]!;
        const value = kind === "float" ? formatHistogram(histogram) : formatIntegerHistogram(histogram);
        output(`${text} ${value} ${timestampMs}\n`);
      }
    };
    for (let i = 0; i < timestamps.length; i++) {
      printHistograms(timestamps[i]!);
      output(`${text} ${formatShortest(values[i]!)} ${timestamps[i]}\n`);
    }
    printHistograms(Infinity);
  },
  seriesjson: ({ labels }, output) => output(`${labelsToGoJson(labels)}\n`),
  openmetrics: ({ labels, timestamps, values }, output) => {
    const rest = Array.from(labels.withoutMetricName(), ([name, value]) => `${name}=${quoteGo(value)}`);
    const text = `${labels.get(metricNameLabel)}{${rest.join(",")}}`;
    for (let i = 0; i < timestamps.length; i++)
      output(`${text} ${formatShortest(values[i]!)} ${(timestamps[i]! / 1000).toFixed(3)}\n`);
  },
};

/** In the order of the labels, which an object with names like numbers would not keep. */
function labelsToGoJson(labels: Labels): string {
  const pairs = Array.from(labels, ([name, value]) => `${toGoJson(name)}:${toGoJson(value)}`);
  return `{${pairs.join(",")}}`;
}
