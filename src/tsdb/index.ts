/**
 * The time series database: a head in the shared memory that reader threads query while the main thread appends, and Prometheus' WAL.
 * The main thread calls `openTsdb`; any other thread makes its own view with `createHeadQueryable(kernel)`.
 */
export { createHeadQueryable } from "./head/querier.ts";
export { type HeadStats, headStats, type NamedCount } from "./head/stats.ts";
export { combineHash, describingLabels, hashBytes } from "./head/text-hash.ts";
export type { TsdbOptions } from "./options.ts";
export { openTsdb, type Tsdb, type TsdbParts } from "./tsdb.ts";
export type { WalCompression } from "./wal/compression.ts";
export type { ReplayProgress, ReplayResult } from "./wal/replay.ts";
