import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { layout } from "./index.ts";
import { lineTableState as table } from "./line-table.ts";

const source = readFileSync(new URL("../../kernel/layout.ts", import.meta.url), "utf8");
const kernelConstants = new Map(
  [...source.matchAll(/^export const (\w+): \w+ = (\w+);$/gm)].map(([, name, value]) => [
    name!,
    BigInt(value!),
  ]),
);

const { chunk, control, reader, slot } = layout;
const expected: Record<string, number | bigint> = {
  PAGE_BYTES: layout.pageBytes,
  TABLES: layout.tablesStart,
  SLAB_OF_PAGE: layout.slabOfPageStart,
  SPANS_FIRST_PAGE: layout.spansStart / layout.pageBytes,
  SLACK: layout.slackBytes,
  PAGE_COUNT: control.pageCount,
  SPAN_LOCK: control.spanLock,
  PAGES_USED: control.pagesUsed,
  SPAN_HINT: control.spanHint,
  GLOBAL_EPOCH: control.globalEpoch,
  RETIRED_HEAD: control.retiredHead,
  RETIRED_TAIL: control.retiredTail,
  ARENA_USED: control.arenaUsedBytes,
  ARENA_RETIRED: control.arenaRetiredBytes,
  ARENA_RESERVED: control.arenaReservedBytes,
  ARENA_SLABS: control.arenaSlabs,
  SERIES_HIGHEST_REF: control.seriesHighestRef,
  SERIES_COUNT: control.seriesCount,
  CHUNK_TOTAL: control.chunkCount,
  ISOLATION_NEXT: control.isolationNext,
  ISOLATION_DONE: control.isolationDone,
  ISOLATION_WRITTEN: control.isolationWritten,
  ISOLATION_END: control.isolationEnd,
  ISOLATION_FIRST: control.isolationFirst,
  ISOLATION_LOST: control.isolationLost,
  NOTE_BYTES: layout.isolationNote.bytes,
  NOTE_BLOCK_BYTES: layout.isolationNote.blockBytes,
  CLOSED_QUEUE: control.closedQueue,
  CLOSED_CAPACITY: control.closedCapacity,
  CLOSED_COUNT: control.closedCount,
  CLOSED_TAKEN: control.closedTaken,
  READERS: control.readers,
  READER_BYTES: reader.bytes,
  READER_SLOTS: reader.slots,
  SPAN_BITMAP: control.spanBitmap,
  SERIES_DIRECTORY: control.seriesDirectory,
  SLOT_BYTES: slot.bytes,
  SLOTS_PER_PAGE: slot.perPage,
  SLOT_PAGES_MAX: slot.pagesMax,
  SLOT_LABELS: slot.labelsPtr,
  SLOT_CHUNK: slot.chunkPtr,
  SLOT_LAST_TIMESTAMP: slot.lastTimestampMs,
  SLOT_LAST_VALUE: slot.lastValueBits,
  SLOT_LAST_DELTA: slot.lastDeltaMs,
  SLOT_BIT_POS: slot.bitPos,
  SLOT_LEADING: slot.leading,
  SLOT_TRAILING: slot.trailing,
  SLOT_FLAGS: slot.flags,
  SLOT_QUEUED: layout.slotFlagQueued,
  SLOT_NEXT_CUT: slot.nextCutMs,
  SLOT_REF: slot.ref,
  CHUNK_HEADER: chunk.headerBytes,
  CHUNK_OLDER: chunk.older,
  CHUNK_CAPACITY: chunk.capacity,
  CHUNK_COUNT: chunk.count,
  CHUNK_DATA_BYTES: chunk.dataBytes,
  CHUNK_MIN: chunk.minTimestampMs,
  CHUNK_MAX: chunk.maxTimestampMs,
  CHUNK_ENCODING: chunk.encoding,
  CHUNK_FLAGS: chunk.flags,
  CHUNK_PLACE: chunk.place,
  CHUNK_CLOSED: layout.chunkFlagClosed,
  CHUNK_IN_FILE: layout.chunkFlagInFile,
  ENCODING_XOR: layout.chunkEncodingXor,
  LT_ENTRIES: table.entriesPtr,
  LT_ENTRIES_CAPACITY: table.entriesCapacity,
  LT_ENTRIES_COUNT: table.entriesCount,
  LT_LIVE: table.liveCount,
  LT_PREVIOUS: table.previousPtr,
  LT_PREVIOUS_COUNT: table.previousCount,
  LT_CURRENT: table.currentPtr,
  LT_CURRENT_COUNT: table.currentCount,
  LT_ORDER_CAPACITY: table.orderCapacity,
  LT_INDEX: table.indexPtr,
  LT_INDEX_CAPACITY: table.indexCapacity,
  LT_SCRAPE: table.scrapeNumber,
  LT_BODY: table.bodyPtr,
  LT_BODY_BYTES: table.bodyBytes,
  LT_POSITION: table.position,
  LT_FLAGS: table.flags,
  LT_EVENT_START: table.eventStart,
  LT_EVENT_END: table.eventEnd,
  LT_EVENT_REF: table.eventRef,
  LT_EVENT_ENTRY: table.eventEntry,
  LT_TIMESTAMP: table.timestampMs,
  LT_BATCH_REFS: table.refsPtr,
  LT_BATCH_TIMESTAMPS: table.timestampsPtr,
  LT_BATCH_VALUES: table.valuesPtr,
  LT_BATCH_CAPACITY: table.batchCapacity,
  LT_BATCH_COUNT: table.batchCount,
  LT_VANISHED: table.vanishedPtr,
  LT_VANISHED_CAPACITY: table.vanishedCapacity,
  LT_CURSOR: table.cursor,
  LT_SAMPLES: table.samplesScraped,
  LT_PENDING: table.pending,
  LT_STATE_BYTES: table.bytes,
  STALE_BITS: layout.staleMarkerBits,
  NORMAL_NAN_BITS: layout.normalNaNBits,
};

test("the kernel's layout mirrors ours", () => {
  for (const [name, value] of kernelConstants)
    assert.equal(value, BigInt(expected[name] ?? -1), `${name} in kernel/layout.ts`);
  assert.equal(kernelConstants.size, Object.keys(expected).length);
});

test("regions of the control block do not overlap", () => {
  assert.ok(control.arenaSlabs + 64 * 4 <= control.seriesHighestRef);
  assert.ok(control.readers + reader.slots * reader.bytes <= control.spanBitmap);
  assert.ok(control.spanBitmap + layout.memoryPagesMax / 8 <= control.seriesDirectory);
  assert.ok(control.seriesDirectory + slot.pagesMax * 4 <= control.headWords);
  assert.ok(control.headWordsEnd <= layout.staticDataStart);
});
