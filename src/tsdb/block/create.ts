import type { Clock, Disk } from "../../base/index.ts";
import { type Kernel, normalNaNBits } from "../../kernel/index.ts";
import type { Labels } from "../../model/index.ts";
import { BlockWriter } from "./block-writer.ts";
import { IndexSymbols } from "./index-symbols.ts";
import type { BlockMeta } from "./meta.ts";
import { createUlid } from "./ulid.ts";

export interface LabelledSample {
  readonly labels: Labels;
  readonly timestampMs: number;
  readonly value: number;
}

export interface CreateBlocksOptions {
  readonly kernel: Kernel;
  readonly disk: Disk;
  readonly clock: Clock;
  /** Must exist. */
  readonly dataDirectory: string;
  /** No block crosses a multiple of this. Default 2 h. */
  readonly blockRangeMs?: number;
}

const blockRangeMsDefault = 7_200_000;

interface BufferedSeries {
  readonly labels: Labels;
  readonly timestampsMs: number[];
  readonly values: number[];
}

/**
 * Creates blocks from samples in any order, one for each range of time that has some. `samples` is called once for each block and once before, and must
 * give the same samples each time, so that only one block's samples are in memory. Of a series' samples at the same time the first stays. Calls `onBlock`
 * when a block is there. Throws the disk's error; blocks that are complete stay.
 */
export function createBlocks(
  options: CreateBlocksOptions,
  samples: () => Iterable<LabelledSample>,
  onBlock: (meta: BlockMeta) => void = () => {},
): BlockMeta[] {
  const rangeMs = options.blockRangeMs ?? blockRangeMsDefault;
  const ranges = new Set<number>();
  for (const { timestampMs } of samples()) ranges.add(Math.floor(timestampMs / rangeMs));
  const metas: BlockMeta[] = [];
  for (const range of [...ranges].sort((a, b) => a - b)) {
    const meta = createBlock(options, collect(samples(), range * rangeMs, (range + 1) * rangeMs));
    metas.push(meta);
    onBlock(meta);
  }
  return metas;
}

/** The samples from `minTimeMs` until before `maxTimeMs`, by series in the order of their labels. */
function collect(samples: Iterable<LabelledSample>, minTimeMs: number, maxTimeMs: number): BufferedSeries[] {
  const byKey = new Map<string, BufferedSeries>();
  for (const { labels, timestampMs, value } of samples) {
    if (timestampMs < minTimeMs || timestampMs >= maxTimeMs) continue;
    const key = labels.key();
    let series = byKey.get(key);
    if (series === undefined) byKey.set(key, (series = { labels, timestampsMs: [], values: [] }));
    series.timestampsMs.push(timestampMs);
    series.values.push(value);
  }
  return [...byKey.values()].sort((a, b) => a.labels.compare(b.labels));
}

function createBlock(options: CreateBlocksOptions, all: readonly BufferedSeries[]): BlockMeta {
  const { kernel, disk, clock, dataDirectory } = options;
  const ulid = createUlid(clock.nowMs());
  const symbols = IndexSymbols.of(all.flatMap(({ labels }) => labels.pairs));
  const writer = new BlockWriter({ kernel, disk, dataDirectory, ulid }, symbols);
  let firstMs = Infinity;
  let lastMs = -Infinity;
  try {
    for (const series of all) {
      const timestampsMs = addSeries(kernel, writer, series);
      firstMs = Math.min(firstMs, timestampsMs[0]!);
      lastMs = Math.max(lastMs, timestampsMs.at(-1)!);
    }
  } catch (error) {
    writer.abandon();
    throw error;
  }
  return writer.finish(firstMs, lastMs + 1, { level: 1, sources: [ulid] })!;
}

/** Returns the times that were written. */
function addSeries(
  { scratch, views }: Kernel,
  writer: BlockWriter,
  { labels, timestampsMs, values }: BufferedSeries,
): number[] {
  const order = [...timestampsMs.keys()].sort((a, b) => timestampsMs[a]! - timestampsMs[b]! || a - b);
  const unique = order.filter((sample, i) => i === 0 || timestampsMs[sample] !== timestampsMs[order[i - 1]!]);
  const mark = scratch.mark();
  try {
    const timestampsPtr = scratch.allocate(8 * unique.length);
    const valuesPtr = scratch.allocate(8 * unique.length);
    unique.forEach((sample, i) => {
      views.f64[timestampsPtr / 8 + i] = timestampsMs[sample]!;
      // Every NaN is the one that upstream's parser makes.
      if (Number.isNaN(values[sample])) views.u64[valuesPtr / 8 + i] = normalNaNBits;
      else views.f64[valuesPtr / 8 + i] = values[sample]!;
    });
    writer.addSamples({ timestamps: timestampsPtr, values: valuesPtr, count: unique.length });
    writer.endSeries(writer.symbols.symbolsOf(labels.pairs));
  } finally {
    scratch.release(mark);
  }
  return unique.map((sample) => timestampsMs[sample]!);
}
