import { type ByteBuffer, type Kernel, seriesEvent, sharedPtr } from "../../kernel/index.ts";
import { compareStrings } from "../../model/index.ts";
import type { Head } from "../head/head.ts";
import { RecordCursor, recordType } from "./record.ts";

/** A series record is ended once it is this long; the next series begin another. */
const seriesRecordBytes = 512 * 1024;
const varintBytesMax = 5;

/**
 * Calls `add` with series records that name each ref with its labels: u8 type, then per series u64 ref, uvarint label count, and per
 * label name and value, each as uvarint length and bytes. Refs without a series are left out. The record lies in `buffer` until `add` returns.
 */
export function encodeSeriesRecords(
  kernel: Kernel,
  refs: Iterable<number>,
  buffer: ByteBuffer,
  add: (record: Uint8Array) => void,
): void {
  const { u8, u32 } = kernel.views;
  buffer.clear();
  for (const ref of refs) {
    const labelsPtr = kernel.series.labelsPtr(ref);
    if (labelsPtr === 0) continue;
    const labels = labelsPtr >>> 2;
    const words = 2 * u32[labels + 1]!;
    let bytesMax = 1 + 8 + varintBytesMax;
    for (let i = 0; i < words; i++) bytesMax += varintBytesMax + u32[u32[labels + 2 + i]! >>> 2]!;
    const ptr = buffer.reserve(buffer.bytes + bytesMax);
    let at = ptr + buffer.bytes;
    if (buffer.bytes === 0) u8[at++] = recordType.series;
    u8.fill(0, at, at + 4);
    for (let i = 0; i < 4; i++) u8[at + 4 + i] = ref >>> (24 - 8 * i);
    at = putUvarint(u8, at + 8, words / 2);
    for (let i = 0; i < words; i++) {
      const symbol = u32[labels + 2 + i]!;
      const length = u32[symbol >>> 2]!;
      at = putUvarint(u8, at, length);
      u8.copyWithin(at, symbol + 4, symbol + 4 + length);
      at += length;
    }
    buffer.setLength(at - ptr);
    if (buffer.bytes < seriesRecordBytes) continue;
    add(buffer.view());
    buffer.clear();
  }
  if (buffer.bytes > 0) add(buffer.view());
  buffer.clear();
}

/** One series of a record: its ref in the log, and in the head; 0 when it has none. */
export interface SeriesEntry {
  readonly logRef: number;
  readonly ref: number;
  /** Its bytes in the record. */
  readonly bytes: Uint8Array;
}

export interface SeriesRecordOptions {
  /** Creates series that do not exist under their refs in the log, where those are free and low. */
  readonly creates: boolean;
  /** Asked now and then: whether `visit` wants every series, and not only those whose ref in the head is another one than in the log, or is missing. */
  readonly isEach: () => boolean;
}

/**
 * Reads a series record, which lies in the shared memory. While `visit` is called for a series that is missing, `head.create` creates it. Returns how many were
 * created without that. Throws RangeError when the record is malformed, after the series before that were visited, and `unavailable` when the memory is full.
 */
export function readSeriesRecord(
  head: Head,
  record: Uint8Array,
  { creates, isEach }: SeriesRecordOptions,
  visit: (entry: SeriesEntry) => void,
): number {
  const { series } = head;
  const { u8 } = head.kernel.views;
  series.open(sharedPtr(head.kernel, record), record.length);
  try {
    for (;;) {
      const event = series.next({ creates, isEach: isEach(), seriesMax: head.seriesAllowed });
      if (event === seriesEvent.end) return series.created.count;
      if (event === seriesEvent.malformed) throw new RangeError("series record is malformed");
      if (event === seriesEvent.pause) continue;
      const { start, end } = series.entry;
      const bytes = u8.subarray(start, end);
      const ref = event === seriesEvent.unsorted ? findUnsorted(head, bytes) : series.ref;
      visit({ logRef: series.logRef, ref, bytes });
    }
  } finally {
    head.noteCreated(series.created);
  }
}

/** Logs hold sorted labels; this is for those that somebody else wrote otherwise. Returns the ref of the series, 0 when it is missing. */
function findUnsorted(head: Head, entry: Uint8Array): number {
  const cursor = new RecordCursor(entry, 8);
  const labels = Array.from({ length: cursor.uvarint() }, () => ({
    name: cursor.text(),
    value: cursor.text(),
  }));
  labels.sort((a, b) => compareStrings(a.name, b.name));
  if (labels.some(({ name }, i) => name === labels[i - 1]?.name))
    throw new RangeError("series record names a label twice");
  return head.find(labels.flatMap(({ name, value }) => [name, value]));
}

function putUvarint(u8: Uint8Array, start: number, value: number): number {
  let at = start;
  let rest = value;
  while (rest >= 0x80) {
    u8[at++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  u8[at++] = rest;
  return at;
}
