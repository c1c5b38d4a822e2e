import { assert, type Disk } from "../../base/index.ts";
import type { Kernel } from "../../kernel/index.ts";
import { Block, type BlockContext } from "./block.ts";
import { type BlockTarget, BlockWriter } from "./block-writer.ts";
import { BlockDamagedError } from "./damage.ts";
import { compareWords } from "./index-writer.ts";
import { mergeChunks } from "./merge-chunks.ts";
import { mergeSymbols } from "./merge-symbols.ts";
import { type BlockMeta, writeMeta } from "./meta.ts";
import { byTime } from "./plan.ts";
import { SeriesCursor } from "./series-cursor.ts";

/**
 * Writes one block that holds what the sources hold, without what their tombstones delete. Sources may overlap: of samples at the same time the one of
 * the earlier source (by start, then name) stays. Chunks are taken over byte by byte where nothing else is needed. Undefined when nothing is left: then
 * there is no block. Throws BlockDamagedError when a source is damaged, or the disk's error; then nothing is left behind. The sources stay.
 */
export function compactBlocks(sources: readonly Block[], target: BlockTarget): BlockMeta | undefined {
  assert(sources.length > 0, "there is a block to compact");
  const ordered = [...sources].sort((a, b) => byTime(a.meta, b.meta));
  const metas = ordered.map(({ meta }) => meta);
  const { symbols, translations } = mergeSymbols(ordered.map(({ index }) => index.symbols));
  const writer = new BlockWriter(target, symbols);
  const cursors: SeriesCursor[] = [];
  try {
    ordered.forEach((block, source) => cursors.push(new SeriesCursor(block, translations[source]!)));
    mergeSeries(target.kernel, cursors, writer);
  } catch (error) {
    writer.abandon();
    throw error;
  } finally {
    for (const cursor of cursors) cursor.close();
  }
  // What all sources are; a block that was cut from the head in its turn stays one.
  const hints = (metas[0]!.compaction.hints ?? []).filter((hint) =>
    metas.every(({ compaction }) => compaction.hints?.includes(hint)),
  );
  return writer.finish(
    Math.min(...metas.map(({ minTime }) => minTime)),
    Math.max(...metas.map(({ maxTime }) => maxTime)),
    {
      level: Math.max(...metas.map(({ compaction }) => compaction.level)) + 1,
      sources: [...new Set(metas.flatMap(({ compaction }) => compaction.sources))].sort(),
      parents: metas.map(({ ulid, minTime, maxTime }) => ({ ulid, minTime, maxTime })),
      hints,
    },
  );
}

/**
 * Compacts the blocks named by a plan. When nothing is left of them they are marked, so that they are deleted, unless `isKeptEmpty`. When they themselves are why it fails they are marked too, so that it
 * is not tried for ever; a full or failing disk marks nothing. Throws what `compactBlocks` throws.
 */
export function runCompaction(
  context: BlockContext,
  dataDirectory: string,
  plan: readonly BlockMeta[],
  ulid: string,
  isKeptEmpty = false,
): BlockMeta | undefined {
  const { kernel, disk } = context;
  const blocks: Block[] = [];
  try {
    for (const { ulid } of plan) blocks.push(Block.open(context, `${dataDirectory}/${ulid}`));
    const meta = compactBlocks(blocks, { kernel, disk, dataDirectory, ulid });
    if (meta === undefined && !isKeptEmpty) for (const block of blocks) mark(disk, block, "deletable");
    return meta;
  } catch (error) {
    if (error instanceof BlockDamagedError) for (const block of blocks) mark(disk, block, "failed");
    throw error;
  } finally {
    for (const block of blocks) block.release();
  }
}

function mark(disk: Disk, { directory, meta }: Block, state: "deletable" | "failed"): void {
  writeMeta(disk, directory, { ...meta, compaction: { ...meta.compaction, [state]: true } });
}

/** Walks over the series of all sources in the order of their labels. */
function mergeSeries(kernel: Kernel, cursors: readonly SeriesCursor[], writer: BlockWriter): void {
  let live = cursors.filter((cursor) => cursor.next());
  while (live.length > 0) {
    let least = live[0]!;
    let same = [least];
    for (const cursor of live.slice(1)) {
      const order = compareLabels(cursor.labels, least.labels);
      if (order === 0) same.push(cursor);
      else if (order < 0) {
        least = cursor;
        same = [cursor];
      }
    }
    mergeChunks(kernel, same, writer);
    writer.endSeries(least.labels);
    const finished = same.filter((cursor) => !cursor.next());
    if (finished.length > 0) live = live.filter((cursor) => !finished.includes(cursor));
  }
}

function compareLabels(a: Uint32Array, b: Uint32Array): number {
  return compareWords(a, 0, a.length, b, 0, b.length);
}
