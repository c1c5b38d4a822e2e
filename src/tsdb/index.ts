/**
 * The time series database: a head in the shared memory that reader threads query while the main thread appends, and Prometheus' WAL.
 * The main thread calls `openTsdb`; any other thread makes its own view with `createHeadQueryable(kernel)`.
 */
export { blockCacheBytesDefault, BlockCache } from "./block/cache.ts";
export { Block, type BlockContext, blockSizeBytes, verifyBlock } from "./block/block.ts";
export { type CreateBlocksOptions, createBlocks, type LabelledSample } from "./block/create.ts";
export { BlockDamagedError, BlockNotices } from "./block/damage.ts";
export { deleteFromBlock } from "./block/delete-series.ts";
export { writeHeadBlock } from "./block/head-block.ts";
export {
  applyRetention,
  type BlockMaintenance,
  cleanTombstones,
  compactAll,
  type CompactionResult,
  deleteSuperseded,
  listBlocks,
  recoverBlocks,
  type RetentionLimits,
} from "./block/maintenance.ts";
export type { BlockCompaction, BlockMeta, BlockParent, BlockStats } from "./block/meta.ts";
export { blockRangeMaxDefault, compactionRanges, planCompaction } from "./block/plan.ts";
export { BlockQuerier } from "./block/querier.ts";
export { createUlid, isUlid, ulidTimeMs } from "./block/ulid.ts";
export { MemoryHead } from "./memory-head.ts";
export { createHeadQueryable } from "./head/querier.ts";
export { type HeadStats, headStats, type NamedCount } from "./head/stats.ts";
export { combineHash, describingLabels, hashBytes } from "./head/text-hash.ts";
export type { ExemplarLimits, FloatEncodingName, TsdbOptions } from "./options.ts";
export { blocksChanged, earlierQueriesEnded } from "./shared-blocks.ts";
export type { BlockKeeper } from "./block/keeper.ts";
export { MaintenanceThread, type MaintenanceThreadOptions } from "./maintenance/maintenance-thread.ts";
export type { Retention } from "./maintenance/retention-policy.ts";
export type { SeriesDeletion } from "./maintenance/series-deletion.ts";
export { createQueryable, type QueryableParts, type StoredQueryable } from "./queryable.ts";
export { openTsdb, type Tsdb, type TsdbParts } from "./tsdb.ts";
export {
  type AnalyzeOptions,
  benchmarkWrite,
  compatibleBlockRangeMs,
  createBlocksFromOpenMetrics,
  type DumpFormat,
  type DumpOptions,
  dumpSamples,
  type ListOptions,
  type OpenMetricsImport,
  type Output,
  printBlockAnalysis,
  printBlockList,
} from "./tools/index.ts";
export type { WalCompression } from "./wal/compression.ts";
export type { ReplayResult } from "./wal/record-replay.ts";
export type { ReplayProgress } from "./wal/replay.ts";
