import { type Kernel, layout, type Views } from "../../kernel/index.ts";
import { HistogramChunk } from "../chunk/histogram-chunk.ts";
import { decodeHistogramChunk } from "../chunk/histogram-decode.ts";
import { histogramEncoding, isHistogramEncoding, readHeader } from "../chunk/histogram-encoding.ts";
import { withCounterReset } from "../../model/index.ts";
import { isFloatEntry, type SampleEntry } from "../head/entry-batch.ts";
import type { HistogramEntry } from "../head/histogram-writer.ts";

/**
 * An open list: at most as many samples as a chunk shall have, by time, replaced as a whole with each sample, so that other threads may read it at any time.
 * { u32 count, u32 isMixed, f64 ms × count, u64 bits × count } is a list of floats. A mixed one has { f64 start ms × count, u32 encoding × count } behind; the bits of a native
 * histogram are { u32 ptr, u32 bytes } of a chunk that holds it alone, without its start, and that goes with the list.
 */
const headerBytes = 8;
const columnBytes = { floats: 16, mixed: 28 } as const;

export function openCount({ u32 }: Views, ptr: number): number {
  return u32[ptr >>> 2]!;
}

export function isMixed({ u32 }: Views, ptr: number): boolean {
  return u32[(ptr >>> 2) + 1] !== 0;
}

/** Milliseconds, ascending. */
export function openTimes(views: Views, ptr: number): Float64Array {
  const start = timesPtr(ptr) / 8;
  return views.f64.subarray(start, start + openCount(views, ptr));
}

/** Where the times of samples are, where their bits, and where, in a mixed list, their starts. */
export function openColumns(views: Views, ptr: number): { tsPtr: number; vsPtr: number; startsPtr: number } {
  const { times, bits, starts } = columnsOf(ptr, openCount(views, ptr));
  return { tsPtr: times, vsPtr: bits, startsPtr: starts };
}

/** The samples of a list of the series `ref`. */
export function openEntries(views: Views, ptr: number, ref: number): SampleEntry[] {
  return Array.from(openTimes(views, ptr), (_, i) => openEntry(views, ptr, ref, i));
}

function openEntry(views: Views, ptr: number, ref: number, i: number): SampleEntry {
  const { u32, u64, f64 } = views;
  const { times, bits, starts, encodings } = columnsOf(ptr, openCount(views, ptr));
  const place = { ref, timestampMs: f64[times / 8 + i]!, startTimestampMs: 0 };
  if (!isMixed(views, ptr)) return { ...place, bits: u64[bits / 8 + i]! };
  const startTimestampMs = f64[starts / 8 + i]!;
  const encoding = u32[encodings / 4 + i]!;
  if (!isHistogramEncoding(encoding)) return { ...place, startTimestampMs, bits: u64[bits / 8 + i]! };
  const data = u32[bits / 4 + 2 * i]!;
  const bytes = views.u8.slice(data, data + u32[bits / 4 + 2 * i + 1]!);
  const [{ histogram, kind }] = decodeHistogramChunk(encoding, bytes) as unknown as [HistogramEntry];
  const hint = readHeader(encoding, bytes);
  return {
    ...place,
    startTimestampMs,
    histogram: histogram.isStale ? histogram : withCounterReset(histogram, hint),
    kind,
  };
}

/**
 * The list with a sample more, which stays the caller's to publish; undefined when there is one of that time. `ptr` 0 is the empty list. Throws MemoryFullError, with nothing
 * taken.
 */
export function withEntry(kernel: Kernel, ptr: number, entry: SampleEntry): number | undefined {
  const { arena, views } = kernel;
  const { f64, u32 } = views;
  const count = ptr === 0 ? 0 : openCount(views, ptr);
  const at = ptr === 0 ? 0 : position(views, ptr, entry.timestampMs);
  if (at < count && f64[timesPtr(ptr) / 8 + at] === entry.timestampMs) return undefined;
  const mixed = !isFloatEntry(entry) || entry.startTimestampMs !== 0 || (ptr !== 0 && isMixed(views, ptr));
  const data = isFloatEntry(entry) ? undefined : storeHistogram(kernel, entry);
  const bytes = listBytes(count + 1, mixed);
  const fresh = arena.tryAllocate(bytes);
  if (fresh === 0 && data) arena.free(data.ptr, data.bytes);
  const list = fresh || arena.allocate(bytes, "out-of-order samples");
  u32[list >>> 2] = count + 1;
  u32[(list >>> 2) + 1] = mixed ? 1 : 0;
  const from = columnsOf(ptr, count);
  const to = columnsOf(list, count + 1);
  copyAround(views, from.times, to.times, 8, count, at);
  copyAround(views, from.bits, to.bits, 8, count, at);
  f64[to.times / 8 + at] = entry.timestampMs;
  if (data !== undefined) {
    u32[to.bits / 4 + 2 * at] = data.ptr;
    u32[to.bits / 4 + 2 * at + 1] = data.bytes;
  } else if (isFloatEntry(entry)) views.u64[to.bits / 8 + at] = entry.bits;
  if (!mixed) return list;
  if (ptr !== 0 && isMixed(views, ptr)) {
    copyAround(views, from.starts, to.starts, 8, count, at);
    copyAround(views, from.encodings, to.encodings, 4, count, at);
  } else {
    f64.fill(0, to.starts / 8, to.starts / 8 + count + 1);
    u32.fill(layout.chunkEncodingXor, to.encodings / 4, to.encodings / 4 + count + 1);
  }
  f64[to.starts / 8 + at] = entry.startTimestampMs;
  u32[to.encodings / 4 + at] = data?.encoding ?? layout.chunkEncodingXor;
  return list;
}

/** Retires a list that another one took the place of: its histograms are that one's. */
export function retireList({ arena, views }: Kernel, ptr: number): void {
  arena.retire(ptr, listBytes(openCount(views, ptr), isMixed(views, ptr)));
}

/** Retires a list with its histograms. */
export function retireWhole(kernel: Kernel, ptr: number): void {
  const { arena, views } = kernel;
  const count = openCount(views, ptr);
  const { bits, encodings } = columnsOf(ptr, count);
  for (let i = 0; i < count && isMixed(views, ptr); i++)
    if (isHistogramEncoding(views.u32[encodings / 4 + i]!))
      arena.retire(views.u32[bits / 4 + 2 * i]!, views.u32[bits / 4 + 2 * i + 1]!);
  retireList(kernel, ptr);
}

/** Where a sample of that time is, or would go. */
export function position(views: Views, ptr: number, timestampMs: number): number {
  const times = openTimes(views, ptr);
  let at = times.length;
  while (at > 0 && times[at - 1]! >= timestampMs) at--;
  return at;
}

function storeHistogram(
  { arena, views }: Kernel,
  { timestampMs, histogram, kind }: HistogramEntry,
): { ptr: number; bytes: number; encoding: number } {
  const encoding = histogramEncoding(kind);
  const chunk = new HistogramChunk(encoding);
  chunk.append(timestampMs, histogram);
  const bytes = chunk.bytes();
  const ptr = arena.allocate(bytes.length, "out-of-order histogram");
  views.u8.set(bytes, ptr);
  return { ptr, bytes: bytes.length, encoding };
}

function listBytes(count: number, mixed: boolean): number {
  return headerBytes + count * (mixed ? columnBytes.mixed : columnBytes.floats);
}

function timesPtr(ptr: number): number {
  return ptr + headerBytes;
}

function columnsOf(
  ptr: number,
  count: number,
): { times: number; bits: number; starts: number; encodings: number } {
  const times = timesPtr(ptr);
  return { times, bits: times + 8 * count, starts: times + 16 * count, encodings: times + 24 * count };
}

/** Copies `count` items of `bytes` each, leaving a gap of one at `at`. */
function copyAround({ u8 }: Views, from: number, to: number, bytes: number, count: number, at: number): void {
  u8.copyWithin(to, from, from + bytes * at);
  u8.copyWithin(to + bytes * (at + 1), from + bytes * at, from + bytes * count);
}
