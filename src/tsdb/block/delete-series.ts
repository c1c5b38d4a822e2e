import type { Matcher } from "../../model/index.ts";
import { Block, type BlockContext } from "./block.ts";
import { writeMeta } from "./meta.ts";
import { BlockSelector } from "./select.ts";
import { SeriesEntry } from "./series-entry.ts";
import { encodeTombstones } from "./tombstones.ts";

/**
 * Marks the samples from `minTimestampMs` to `maxTimestampMs` of the matching series as deleted: queries no longer see them, a compaction leaves them out. Returns
 * how many series were hit. Throws BlockDamagedError or the disk's error; then the block is as it was.
 */
export function deleteFromBlock(
  context: BlockContext,
  directory: string,
  matchers: readonly Matcher[],
  minTimestampMs: number,
  maxTimestampMs: number,
): number {
  const { kernel, disk } = context;
  const block = Block.open(context, directory);
  try {
    const { index, tombstones, meta } = block;
    const entry = new SeriesEntry();
    const read = (ref: number): SeriesEntry => {
      index.readSeries(ref, entry);
      return entry;
    };
    let hits = 0;
    for (const ref of new BlockSelector(index, read).select(matchers)) {
      const { chunkCount, minTimesMs, maxTimesMs } = read(ref);
      if (chunkCount === 0) continue;
      const low = Math.max(minTimestampMs, minTimesMs[0]!);
      const high = Math.min(maxTimestampMs, maxTimesMs[chunkCount - 1]!);
      if (low > high) continue;
      tombstones.add(ref, { minTimestampMs: low, maxTimestampMs: high });
      hits++;
    }
    if (hits > 0) {
      disk.writeFileAtomic(`${directory}/tombstones`, encodeTombstones(kernel, tombstones));
      writeMeta(disk, directory, { ...meta, stats: { ...meta.stats, numTombstones: tombstones.count } });
    }
    return hits;
  } finally {
    block.release();
  }
}
