import type { BlockMeta } from "./meta.ts";

export interface SizedBlock {
  readonly meta: BlockMeta;
  readonly sizeBytes: number;
}

/** ULIDs of the blocks that end at least `retentionMs` before the newest one does. 0 keeps all. */
export function blocksBeyondTime(blocks: readonly BlockMeta[], retentionMs: number): string[] {
  if (retentionMs === 0) return [];
  const newestMs = Math.max(...blocks.map(({ maxTime }) => maxTime));
  return blocks.filter(({ maxTime }) => newestMs - maxTime >= retentionMs).map(({ ulid }) => ulid);
}

/**
 * ULIDs of the oldest blocks that have no room within `bytesMax`, counted from the newest on after `otherBytes` (WAL, head chunks). When one does
 * not fit, all older ones go too. 0 keeps all.
 */
export function blocksBeyondSize(
  blocks: readonly SizedBlock[],
  otherBytes: number,
  bytesMax: number,
): string[] {
  if (bytesMax === 0) return [];
  let bytes = otherBytes;
  return [...blocks]
    .sort((a, b) => b.meta.maxTime - a.meta.maxTime)
    .filter(({ sizeBytes }) => (bytes += sizeBytes) > bytesMax)
    .map(({ meta }) => meta.ulid);
}

/** ULIDs of blocks that others were made of, or of which nothing was left: nobody may read them any more. */
export function supersededBlocks(blocks: readonly BlockMeta[]): string[] {
  const parents = new Set(
    blocks.flatMap(({ compaction }) => (compaction.parents ?? []).map(({ ulid }) => ulid)),
  );
  return blocks
    .filter(({ ulid, compaction }) => compaction.deletable === true || parents.has(ulid))
    .map(({ ulid }) => ulid);
}
