import { type Clock, errorMessage, type Logger } from "../../base/index.ts";
import { Block, type BlockContext, blockSizeBytes, isBlockFault } from "./block.ts";
import { runCompaction } from "./compact.ts";
import { deleteBlock, listBlockUlids, removeLeftovers, setBlockAside } from "./directory.ts";
import { type BlockMeta, readMeta } from "./meta.ts";
import { overlap, planCompaction } from "./plan.ts";
import { blocksBeyondSize, blocksBeyondTime, supersededBlocks } from "./retention.ts";
import { createUlid } from "./ulid.ts";

/** What changes the blocks of a data directory; one thread at a time. */
export interface BlockMaintenance {
  readonly context: BlockContext;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly dataDirectory: string;
  /** Called after every change of the set of blocks, so that readers look again. */
  readonly onChange: () => void;
}

export interface RetentionLimits {
  /** 0 keeps all. */
  readonly retentionMs: number;
  /** 0 keeps all. */
  readonly bytesMax: number;
  /** What counts beside the blocks: WAL, head chunks. */
  readonly otherBytes: number;
}

/** Counts of what was done. */
export interface CompactionResult {
  compactions: number;
  /** Of these, those of blocks that overlapped. */
  vertical: number;
  failures: number;
  deleted: number;
}

/**
 * Prepares a data directory that was left in whatever state: removes what half-done creations and deletions left, and sets damaged blocks aside. Returns
 * the sound blocks and the names of those set aside. Throws the disk's error.
 */
export function recoverBlocks(maintenance: BlockMaintenance): { blocks: BlockMeta[]; setAside: string[] } {
  const { context, logger, dataDirectory } = maintenance;
  const { disk } = context;
  const leftovers = removeLeftovers(disk, dataDirectory);
  if (leftovers > 0) logger.info("removed leftovers of unfinished blocks", { count: leftovers });
  const blocks: BlockMeta[] = [];
  const setAside: string[] = [];
  for (const ulid of listBlockUlids(disk, dataDirectory)) {
    try {
      const block = Block.open(context, `${dataDirectory}/${ulid}`);
      blocks.push(block.meta);
      block.release();
    } catch (error) {
      if (!isBlockFault(error)) throw error;
      setBlockAside(disk, dataDirectory, ulid);
      logger.error("damaged block set aside", { block: ulid, err: errorMessage(error) });
      setAside.push(ulid);
    }
  }
  maintenance.onChange();
  return { blocks, setAside };
}

/** The blocks there are, as they say. Damaged ones are left out. Throws the disk's error. */
export function listBlocks({ context: { disk }, dataDirectory }: BlockMaintenance): BlockMeta[] {
  return listBlockUlids(disk, dataDirectory).flatMap((ulid) => {
    try {
      return [readMeta(disk, `${dataDirectory}/${ulid}`)];
    } catch (error) {
      if (!isBlockFault(error)) throw error;
      return [];
    }
  });
}

/** Compacts until no plan is left or one fails, deleting what is replaced. */
export function compactAll(maintenance: BlockMaintenance, ranges: readonly number[]): CompactionResult {
  const result: CompactionResult = { compactions: 0, vertical: 0, failures: 0, deleted: 0 };
  for (;;) {
    result.deleted += deleteSuperseded(maintenance);
    const plan = planCompaction(listBlocks(maintenance), ranges);
    if (plan.length === 0) return result;
    if (!compact(maintenance, plan)) {
      result.failures++;
      return result;
    }
    result.compactions++;
    if (overlap(plan)) result.vertical++;
  }
}

/**
 * Rewrites every block that has tombstones without what they delete. The newest one stays even when nothing is left of it: its end says from when on
 * the WAL is replayed, which may still have the samples.
 */
export function cleanTombstones(maintenance: BlockMaintenance): CompactionResult {
  const result: CompactionResult = { compactions: 0, vertical: 0, failures: 0, deleted: 0 };
  const blocks = listBlocks(maintenance);
  const newestMs = Math.max(...blocks.map(({ maxTime }) => maxTime));
  for (const meta of blocks) {
    if (meta.stats.numTombstones === 0) continue;
    if (compact(maintenance, [meta], meta.maxTime === newestMs)) result.compactions++;
    else result.failures++;
  }
  result.deleted = deleteSuperseded(maintenance);
  return result;
}

/** Deletes the blocks that are older, or together larger, than what is to be kept. Returns how many. Throws the disk's error. */
export function applyRetention(maintenance: BlockMaintenance, limits: RetentionLimits): number {
  const { context, dataDirectory } = maintenance;
  const metas = listBlocks(maintenance);
  const sized = metas.map((meta) => ({
    meta,
    sizeBytes: blockSizeBytes(context.disk, `${dataDirectory}/${meta.ulid}`),
  }));
  const beyondTime = blocksBeyondTime(metas, limits.retentionMs);
  const beyondSize = blocksBeyondSize(sized, limits.otherBytes, limits.bytesMax);
  return deleteAll(maintenance, new Set([...beyondTime, ...beyondSize]), "beyond the retention");
}

/** Deletes the blocks that others replace, once those can be opened. Returns how many. Throws the disk's error. */
export function deleteSuperseded(maintenance: BlockMaintenance): number {
  const { context, dataDirectory } = maintenance;
  const blocks = listBlocks(maintenance);
  if (supersededBlocks(blocks).length === 0) return 0;
  const sound = blocks.filter(({ ulid, compaction }) => {
    if ((compaction.parents ?? []).length === 0) return true;
    try {
      Block.open(context, `${dataDirectory}/${ulid}`).release();
      return true;
    } catch (error) {
      if (!isBlockFault(error)) throw error;
      return false;
    }
  });
  return deleteAll(maintenance, new Set(supersededBlocks(sound)), "replaced");
}

function compact(
  { context, clock, logger, dataDirectory, onChange }: BlockMaintenance,
  plan: readonly BlockMeta[],
  isKeptEmpty = false,
): boolean {
  const parents = plan.map(({ ulid }) => ulid).join(" ");
  const startMs = clock.monotonicMs();
  try {
    const meta = runCompaction(context, dataDirectory, plan, createUlid(clock.nowMs()), isKeptEmpty);
    const duration = `${((clock.monotonicMs() - startMs) / 1000).toFixed(3)}s`;
    logger.info("blocks compacted", { block: meta?.ulid ?? "(nothing left)", parents, duration });
    return true;
  } catch (error) {
    logger.error("compaction failed", { parents, err: errorMessage(error) });
    return false;
  } finally {
    onChange();
  }
}

function deleteAll(
  { context, logger, dataDirectory, onChange }: BlockMaintenance,
  ulids: ReadonlySet<string>,
  reason: string,
): number {
  for (const ulid of ulids) {
    deleteBlock(context.disk, dataDirectory, ulid);
    logger.info("block deleted", { block: ulid, reason });
    onChange();
  }
  return ulids.size;
}
