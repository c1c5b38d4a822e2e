/**
 * The byte-handling core: kernel.wasm over one shared linear memory. `createKernel` in the main thread, `attachKernel` in workers;
 * everything else hangs on the `Kernel` they return.
 */
export { Arena, type ArenaUsage } from "./arena.ts";
export { blockChunk, blockEntriesBytesMax, type BlockRun, blockSeries } from "./block-entries.ts";
export { BlockRunCopy, type BlockRunEnd } from "./block-run.ts";
export { ByteBuffer } from "./byte-buffer.ts";
export { Epoch } from "./epoch.ts";
export { ChunkDamagedError, MemoryFullError, ScratchBudgetError } from "./errors.ts";
export type { KernelExports } from "./exports.ts";
export {
  type AttachedChunks,
  type EncodedChunks,
  fileChunk,
  type HeadChunkPlace,
  headChunkPlace,
  headChunkPlaceOf,
  headChunkRecordBytesMax,
  type HeadChunkRecord,
  HeadChunks,
  orderTableBytes,
  type ScanEnd,
  type ScannedChunks,
  scanTableBytes,
  writeTableBytes,
} from "./head-chunks.ts";
export { attachKernel, createKernel, defaultLimitBytes, type KernelOptions } from "./create.ts";
export {
  type FileChunks,
  Kernel,
  type KernelHandle,
  type MemoryUsage,
  chunkBytesMax,
  seriesFileDamaged,
  seriesNotLoaded,
  sharedPtr,
} from "./kernel.ts";
export type { IdlePages } from "./idle-pages.ts";
export { Isolation, type PinnedSnapshot, Snapshot } from "./isolation.ts";
export * as layout from "./layout.ts";
export {
  type FloatEncoding,
  type SampleStatus,
  normalNaNBits,
  sampleStatus,
  slackBytes,
  staleMarkerBits,
} from "./layout.ts";
export {
  type LineEvent,
  LineTable,
  type LineTableInput,
  lineComment,
  lineDropped,
  lineEvent,
} from "./line-table.ts";
export {
  type BinaryRowsOptions,
  type RowAggregationName,
  type RowOperatorName,
  aggregateStateBytes,
  rowAggregation,
  rowOperator,
} from "./rows.ts";
export {
  type AppendOptions,
  SampleBatch,
  type SampleReading,
  type SampleColumns,
  type TimeBounds,
} from "./sample-batch.ts";
export { Scratch } from "./scratch.ts";
export { histogramRow, type HistogramRows } from "./histogram-rows.ts";
export { runSeries, type SeriesRun } from "./series-run.ts";
export { type LabelShare, SeriesTable } from "./series-table.ts";
export { type SeriesEvent, seriesEvent, type SeriesRecordMode, SeriesWriter } from "./series-writer.ts";
export {
  type LoadedBytes,
  StoredChunks,
  type StoredChunkTable,
  type StoredFloats,
  storedTableBytes,
} from "./stored-chunks.ts";
export type { Views } from "./views.ts";
export type { WasmMemory, WasmModule } from "./web-assembly.ts";
export {
  type Columns,
  type Row,
  type Steps,
  type WindowArguments,
  type WindowFunctionName,
  takesNoArguments,
  windowFunction,
} from "./window.ts";
