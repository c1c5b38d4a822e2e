// Series slots: created, released, and what becomes of their chunks. What the writer publishes, it does by an atomic store of the pointer.
import { arenaAllocate, arenaRetire } from "./arena";
import { blockBytes, countChunks, isClosed } from "./chunk";
import {
  CHUNK_MAX,
  CHUNK_OLDER,
  SERIES_COUNT,
  SERIES_DIRECTORY,
  SERIES_HIGHEST_REF,
  SLOT_BIT_POS,
  SLOT_BYTES,
  SLOT_CHUNK,
  SLOT_LABELS,
  SLOT_LAST_TIMESTAMP,
  SLOT_PAGES_MAX,
  SLOT_REF,
  SLOTS_PER_PAGE,
} from "./layout";
import { closeChunk, VALUE_UNKNOWN } from "./series-append";
import { seriesOf, slotOf } from "./slot";

export function seriesCreate(ref: u32, labels: u32): u32 {
  const page = (ref >> 14) & (SLOT_PAGES_MAX - 1);
  if (ref == 0) return 0;
  const word = SERIES_DIRECTORY + (page << 2);
  if (load<u32>(word) == 0) {
    const bytes = SLOTS_PER_PAGE * SLOT_BYTES;
    const fresh = arenaAllocate(bytes);
    if (fresh == 0) return 0;
    memory.fill(fresh, 0, bytes);
    atomic.store<u32>(word, fresh);
  }
  const slot = slotOf(ref);
  store<u32>(slot, ref, SLOT_REF);
  atomic.store<u32>(slot + SLOT_LABELS, labels);
  if (ref > load<u32>(SERIES_HIGHEST_REF)) atomic.store<u32>(SERIES_HIGHEST_REF, ref);
  atomic.store<u32>(SERIES_COUNT, load<u32>(SERIES_COUNT) + 1);
  return <u32>slot;
}

export function seriesRelease(ref: u32): void {
  const slot = seriesOf(ref);
  if (slot == 0) return;
  let chunk = <usize>load<u32>(slot, SLOT_CHUNK);
  atomic.store<u32>(slot + SLOT_LABELS, 0);
  atomic.store<u32>(slot + SLOT_CHUNK, 0);
  while (chunk != 0) {
    const older = load<u32>(chunk, CHUNK_OLDER);
    arenaRetire(<u32>chunk, blockBytes(chunk));
    countChunks(-1);
    chunk = older;
  }
  memory.fill(slot, 0, SLOT_BYTES);
  atomic.store<u32>(SERIES_COUNT, load<u32>(SERIES_COUNT) - 1);
}

// Retires chunks that end before minTimestamp; returns how many.
export function seriesTruncate(ref: u32, minTimestampMs: f64): u32 {
  const slot = seriesOf(ref);
  if (slot == 0) return 0;
  const minTimestamp = <i64>minTimestampMs;
  let link = slot + SLOT_CHUNK;
  let chunk = <usize>load<u32>(link);
  while (chunk != 0 && load<i64>(chunk, CHUNK_MAX) >= minTimestamp) {
    link = chunk + CHUNK_OLDER;
    chunk = load<u32>(link);
  }
  atomic.store<u32>(link, 0);
  let dropped: u32 = 0;
  while (chunk != 0) {
    const older = load<u32>(chunk, CHUNK_OLDER);
    arenaRetire(<u32>chunk, blockBytes(chunk));
    chunk = older;
    dropped++;
  }
  countChunks(-dropped);
  return dropped;
}

export function seriesCloseChunk(ref: u32): u32 {
  const slot = seriesOf(ref);
  if (slot == 0) return 0;
  const chunk = <usize>load<u32>(slot, SLOT_CHUNK);
  if (chunk == 0 || isClosed(chunk)) return 0;
  closeChunk(slot, chunk);
  return 1;
}

// Puts chunks that are in files on a series that has none yet; false when it has.
export function seriesAttachChunks(ref: u32, newest: u32): u32 {
  const slot = seriesOf(ref);
  if (slot == 0 || load<u32>(slot, SLOT_CHUNK) != 0) return 0;
  for (let chunk = newest; chunk != 0; chunk = load<u32>(chunk, CHUNK_OLDER)) countChunks(1);
  publishFileChunk(slot, newest);
  return 1;
}

// Makes a chunk that is in a file, which leads to those that the series has, its newest one.
// @ts-ignore: decorator
@inline
export function publishFileChunk(slot: usize, chunk: usize): void {
  store<i64>(slot, load<i64>(chunk, CHUNK_MAX), SLOT_LAST_TIMESTAMP);
  store<u32>(slot, VALUE_UNKNOWN, SLOT_BIT_POS);
  atomic.store<u32>(slot + SLOT_CHUNK, <u32>chunk);
}
