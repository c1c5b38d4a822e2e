import { noStarts, type Queryable } from "../../storage/index.ts";
import { type BlockTarget, BlockWriter } from "./block-writer.ts";
import { addInterleaved } from "./interleave.ts";
import type { BlockCompaction, BlockMeta } from "./meta.ts";

/**
 * Writes a block of level 1 from what `queryable` (the head) has from `minTime` until before `maxTime`. Works on any thread; the head goes on meanwhile.
 * Undefined when there is nothing: then there is no block. Throws the disk's error; then nothing is left behind.
 */
export function writeHeadBlock(
  queryable: Queryable,
  target: BlockTarget,
  minTime: number,
  maxTime: number,
  hints: readonly string[] = [],
): BlockMeta | undefined {
  const writer = new BlockWriter(target);
  try {
    copySeries(queryable, target, writer, minTime, maxTime - 1);
  } catch (error) {
    writer.abandon();
    throw error;
  }
  const compaction: BlockCompaction = { level: 1, sources: [target.ulid], hints: [...hints] };
  return writer.finish(minTime, maxTime, compaction);
}

function copySeries(
  queryable: Queryable,
  { kernel }: BlockTarget,
  writer: BlockWriter,
  minTimestampMs: number,
  maxTimestampMs: number,
): void {
  const symbols = new Map<number, number>();
  const scratch = kernel.createScratch();
  const querier = queryable.querier(minTimestampMs, maxTimestampMs);
  try {
    const set = querier.select([], { minTimestampMs, maxTimestampMs }, true);
    const translate = (symbol: number): number => {
      let translated = symbols.get(symbol);
      if (translated === undefined) {
        translated = writer.index.intern(set.symbols.text(symbol));
        symbols.set(symbol, translated);
      }
      return translated;
    };
    for (let series = 0; series < set.length; series++) {
      const mark = scratch.mark();
      const capacity = set.sampleCountMax(series, minTimestampMs, maxTimestampMs);
      const timestamps = scratch.allocate(8 * capacity);
      const values = scratch.allocate(8 * capacity);
      const columns = { timestamps, values, capacity };
      const count = set.read(series, minTimestampMs, maxTimestampMs, false, columns);
      const histograms = set.readHistograms?.(series, minTimestampMs, maxTimestampMs, false) ?? [];
      if (count + histograms.length > 0) {
        const starts = set.readStarts?.(series, minTimestampMs, maxTimestampMs) ?? noStarts;
        addInterleaved(writer, kernel.views, { timestamps, values, count }, histograms, starts);
        writer.endSeries(set.labelSymbols(series).map(translate));
      }
      scratch.release(mark);
    }
  } finally {
    querier.close();
    scratch.reset();
  }
}
