import { createKernel, type Kernel, layout } from "../../kernel/index.ts";
import type { Labels } from "../../model/index.ts";
import type { Queryable } from "../../storage/index.ts";
import { systemDisk } from "../../base/index.ts";
import type { Dump } from "../test-support.ts";
import { Block, type BlockContext } from "./block.ts";
import { BlockWriter } from "./block-writer.ts";
import { BlockCache } from "./cache.ts";
import { BlockNotices } from "./damage.ts";
import { IndexSymbols } from "./index-symbols.ts";
import type { BlockMeta } from "./meta.ts";
import { BlockQuerier } from "./querier.ts";
import { createUlid } from "./ulid.ts";

/** Series as a block should have them; values are bits, so that every NaN can be told apart. */
export interface ModelSeries {
  readonly labels: Labels;
  readonly samples: readonly (readonly [timestampMs: number, bits: bigint])[];
}

export function testContext(cacheBytes?: number): BlockContext {
  return {
    kernel: createKernel({ limitBytes: layout.memoryBytesMin }),
    disk: systemDisk,
    cache: new BlockCache(cacheBytes),
  };
}

let created = 0;

/** Writes series, in any order, as one block. */
export function writeModel(
  { kernel, disk }: BlockContext,
  dataDirectory: string,
  series: readonly ModelSeries[],
  range: readonly [minTime: number, maxTime: number] = timeRange(series),
): BlockMeta {
  const ulid = createUlid(1_700_000_000_000 + created++);
  const symbols = IndexSymbols.of(series.flatMap(({ labels }) => labels.pairs));
  const writer = new BlockWriter({ kernel, disk, dataDirectory, ulid }, symbols);
  for (const { labels, samples } of [...series].sort((a, b) => a.labels.compare(b.labels))) {
    const mark = kernel.scratch.mark();
    writer.addSamples(putSamples(kernel, samples));
    kernel.scratch.release(mark);
    writer.endSeries(symbols.symbolsOf(labels.pairs));
  }
  return writer.finish(range[0], range[1], { level: 1, sources: [ulid] })!;
}

export function timeRange(series: readonly ModelSeries[]): [minTime: number, maxTime: number] {
  const times = series.flatMap(({ samples }) => samples.map(([timestampMs]) => timestampMs));
  return [Math.min(...times), Math.max(...times) + 1];
}

function putSamples(
  { scratch, views }: Kernel,
  samples: ModelSeries["samples"],
): { timestamps: number; values: number; count: number } {
  const timestamps = scratch.allocate(8 * samples.length);
  const values = scratch.allocate(8 * samples.length);
  samples.forEach(([timestampMs, bits], i) => {
    views.f64[timestamps / 8 + i] = timestampMs;
    views.u64[values / 8 + i] = bits;
  });
  return { timestamps, values, count: samples.length };
}

/** What `dump` should give for the series. */
export function dumpOf(series: readonly ModelSeries[]): Dump {
  return new Map(
    [...series]
      .sort((a, b) => a.labels.compare(b.labels))
      .map(({ labels, samples }) => [labels.toString(), samples.map(([t, bits]) => [t, bits])]),
  );
}

/** One block as storage. */
export function blockQueryable(block: Block, notices: BlockNotices = new BlockNotices()): Queryable {
  return { querier: () => new BlockQuerier(block, notices) };
}
