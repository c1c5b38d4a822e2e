import type { BlockMeta } from "./meta.ts";

/** Share of a block's series that must have a tombstone for the block to be rewritten. */
const tombstonesPerSeriesMin = 0.05;
const rangeFactor = 3;
const blockRangeMsMax = 31 * 86_400_000;
/** Of the retention. */
const blockRangeShare = 0.1;

/** How wide blocks become, in milliseconds, narrowest first: `minMs`, times three, … up to `maxMs`. */
export function compactionRanges(minMs: number, maxMs: number): number[] {
  const ranges: number[] = [];
  for (let range = minMs; range === minMs || range <= maxMs; range *= rangeFactor) ranges.push(range);
  return ranges;
}

/** The widest that blocks become when nobody says otherwise: a tenth of the retention, at most 31 days. 0 stands for no retention by time. */
export function blockRangeMaxDefault(retentionMs: number, minMs: number): number {
  if (retentionMs === 0) return blockRangeMsMax;
  return Math.max(minMs, Math.min(Math.floor(retentionMs * blockRangeShare), blockRangeMsMax));
}

/**
 * The blocks to be compacted into one next, in the order of their times; none when all is well. Overlapping blocks come first, then those that
 * fill a wider range, then a single one of which much is deleted. Blocks of stale series are not mixed with others, nor are those of what came out of order later than the head was cut.
 */
export function planCompaction(blocks: readonly BlockMeta[], ranges: readonly number[]): BlockMeta[] {
  const classes = new Map<string, BlockMeta[]>();
  const cutMs = newestCutMs(blocks, ranges[0]!);
  for (const block of [...blocks].sort(byTime)) {
    const key = planClass(block, cutMs);
    const members = classes.get(key);
    if (members === undefined) classes.set(key, [block]);
    else members.push(block);
  }
  for (const pick of [pickOverlapping, pickRange, pickDeleted]) {
    for (const members of classes.values()) {
      const picked = pick(members, ranges);
      if (picked.length > 0) return picked;
    }
  }
  return [];
}

/**
 * Only blocks of the same class are compacted with one another. What came out of order goes where it belongs, once the head is cut until there: else the block made of it would
 * say that the head had been.
 */
function planClass({ maxTime, compaction }: BlockMeta, cutMs: number): string {
  const hints = compaction.hints ?? [];
  return hints
    .filter((hint) => hint !== "from-out-of-order" || maxTime > cutMs)
    .sort()
    .join(",");
}

/**
 * Until when the blocks hold what a head once held: the end of the newest one that was cut from a head, or compacted of such. These end at a multiple of the range they are
 * cut by, and have no hints; blocks that were imported end where their samples do. -Infinity when there is none.
 */
export function newestCutMs(blocks: readonly BlockMeta[], rangeMs: number): number {
  const cut = blocks.filter(
    ({ maxTime, compaction }) => maxTime % rangeMs === 0 && (compaction.hints ?? []).length === 0,
  );
  return Math.max(-Infinity, ...cut.map(({ maxTime }) => maxTime));
}

/** Orders blocks by their start, then by name. */
export function byTime(a: BlockMeta, b: BlockMeta): number {
  return a.minTime - b.minTime || (a.ulid < b.ulid ? -1 : 1);
}

/** The first run of blocks that each overlap what stands before them. */
function pickOverlapping(blocks: readonly BlockMeta[]): BlockMeta[] {
  const run: BlockMeta[] = [];
  let end = -Infinity;
  for (const block of blocks) {
    const overlaps = block.minTime < end;
    if (!overlaps && run.length > 1) break;
    if (!overlaps) run.length = 0;
    run.push(block);
    end = Math.max(end, block.maxTime);
  }
  return run.length > 1 && !run.some(hasFailed) ? run : [];
}

/**
 * The first group of blocks that fill an aligned range of one of the widths, or whose range is over since a later block exists. The newest block is left
 * out, so that it can be copied away before it changes.
 */
function pickRange(blocks: readonly BlockMeta[], ranges: readonly number[]): BlockMeta[] {
  const settled = blocks.slice(0, -1);
  const newestMs = settled.at(-1)?.minTime ?? -Infinity;
  for (const range of ranges.slice(1)) {
    for (const group of groupByRange(settled, range)) {
      const isFull = group.at(-1)!.maxTime - group[0]!.minTime === range;
      const isOver = group.at(-1)!.maxTime <= newestMs;
      if (group.length > 1 && (isFull || isOver) && !group.some(hasFailed)) return group;
    }
  }
  return [];
}

/** Blocks that lie within the same multiple of `range`; those that cross a border are left out. */
function groupByRange(blocks: readonly BlockMeta[], range: number): BlockMeta[][] {
  const groups = new Map<number, BlockMeta[]>();
  for (const block of blocks) {
    const start = Math.floor(block.minTime / range);
    if (block.maxTime > (start + 1) * range) continue;
    const group = groups.get(start);
    if (group === undefined) groups.set(start, [block]);
    else group.push(block);
  }
  return [...groups.values()];
}

/** The newest wide block with many tombstones, or, before a wide one is met, one that is deleted altogether. */
function pickDeleted(blocks: readonly BlockMeta[], ranges: readonly number[]): BlockMeta[] {
  const wideMs = ranges[Math.floor(ranges.length / 2)]!;
  for (const block of blocks.slice(0, -1).toReversed()) {
    const { numTombstones, numSeries } = block.stats;
    if (hasFailed(block)) continue;
    if (block.maxTime - block.minTime < wideMs)
      return numTombstones > 0 && numTombstones >= numSeries ? [block] : [];
    if (numTombstones / (numSeries + 1) > tombstonesPerSeriesMin) return [block];
  }
  return [];
}

function hasFailed(block: BlockMeta): boolean {
  return block.compaction.failed === true;
}

/** Whether two of the blocks have a time in common. */
export function overlap(blocks: readonly BlockMeta[]): boolean {
  const ordered = [...blocks].sort(byTime);
  let untilMs = -Infinity;
  return ordered.some(({ minTime, maxTime }) => {
    const isBefore = minTime < untilMs;
    untilMs = Math.max(untilMs, maxTime);
    return isBefore;
  });
}
