// What the module exports; src/kernel/exports.ts has the TypeScript signatures.
export { allocateSpan, freeSpan, takeFreeSpan } from "./spans";
export { epochEnter, epochLeave, epochAdvance, epochOldest } from "./epoch";
export { arenaAllocate, arenaFree, arenaRetire, arenaReclaim, arenaClassBytes } from "./arena";
export {
  seriesCreate,
  seriesRelease,
  seriesTruncate,
  seriesAttachChunks,
  seriesCloseChunk,
} from "./series";
export { filterSeries } from "./series-filter";
export { internSymbol } from "./symbols";
export { insertPair } from "./pair-table";
export { reservePosting, pushPosting } from "./posting-list";
export { unindexSeries } from "./series-index";
export { seriesFind, seriesAdd, readSeriesRecord } from "./series-writer";
export { isolationNote, isolationShow, isolationPublish } from "./isolation";
export { headChunkStub, freeHeadChunkStubs, encodeClosedChunks, finishClosedWrite } from "./chunk-writing";
export { attachScanned } from "./chunk-attaching";
export { scanHeadChunks } from "./chunk-scan";
export {
  listFileChunks,
  orderFileChunks,
  placeRecords,
  fileChunkData,
  fileChunkDataBytes,
} from "./file-chunks";
export { encodeSeriesEntries } from "./block-entries";
export { copyBlockRun } from "./block-run";
export { frameChunk } from "./chunk-frame";
export { seriesSampleCount, decodeSeries, decodeSeriesRun, dropStaleMarkers } from "./series-read";
export { countStoredFloats, decodeStoredFloats } from "./stored-chunks";
export { checkBatch, appendBatch, appendStarted, encodeSamplesRecord } from "./batch";
export { decodeSamplesRecord } from "./samples-record";
export { orderBySeries } from "./sample-order";
export { uncompressSnappy } from "./snappy";
export { encodeFloats, decodeFloats } from "./floats";
export { decodeHistogramRows } from "./histogram-chunk";
export { initTables, crc32c, hash32, hash64 } from "./hash";
export { window, selectInstant } from "./window";
export { windowRun } from "./runs";
export { quantile } from "./quantile";
export { aggregateBegin, aggregateAdd, aggregateFinish, binaryRows } from "./rows";
export { lineTableParse } from "./line-parser";
export { lineTableAddEntry } from "./line-entries";
export { lineTableFinish, lineTableFail, lineTableFree } from "./line-table";
export { parseNumber } from "./number";
export { formatRow } from "./format";
