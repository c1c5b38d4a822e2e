import type { ByteBuffer, Kernel } from "../../kernel/index.ts";
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

/**
 * One series of a record: its ref in the log, the hash of its labels, `count` pairs of symbols sorted by name (valid during the
 * call), and its bytes in the record.
 */
export type VisitSeries = (
  logRef: number,
  hash: number,
  pairs: Uint32Array,
  count: number,
  entry: Uint8Array,
) => void;

/** Reads series records into symbols, without a string per label. */
export class SeriesRecordReader {
  readonly #head: Head;
  /** Symbols of the series before: neighbours in the log mostly share names and many values. */
  #previous = new Uint32Array(64);
  #previousWords = 0;

  constructor(head: Head) {
    this.#head = head;
  }

  /** To be called when symbols may have been freed since the last record. */
  forget(): void {
    this.#previousWords = 0;
  }

  /** Throws RangeError when the record is malformed, after the series before that were visited. */
  read(record: Uint8Array, visit: VisitSeries): void {
    const { symbols } = this.#head;
    const cursor = new RecordCursor(record, 1);
    while (!cursor.isAtEnd) {
      const entryStart = cursor.at;
      const logRef = cursor.uint64();
      const count = cursor.uvarint();
      if (count > record.length) throw new RangeError("series record is truncated");
      const pairs = this.#head.pairBuffer(2 * count);
      for (let i = 0; i < 2 * count; i++) {
        const length = cursor.uvarint();
        const start = cursor.skip(length);
        const before = i < this.#previousWords ? this.#previous[i]! : 0;
        pairs[i] =
          before !== 0 && symbols.equalsBytes(before, record, start, length)
            ? before
            : symbols.internBytes(record, start, length);
      }
      this.#sortPairs(pairs, count);
      if (this.#previous.length < 2 * count) this.#previous = new Uint32Array(4 * count);
      this.#previous.set(pairs.subarray(0, 2 * count));
      this.#previousWords = 2 * count;
      visit(logRef, this.#head.hashOf(pairs, count), pairs, count, record.subarray(entryStart, cursor.at));
    }
  }

  /** Logs hold sorted labels; this is for those that somebody else wrote otherwise. */
  #sortPairs(pairs: Uint32Array, count: number): void {
    const { symbols } = this.#head;
    for (let i = 2; i < 2 * count; i += 2) {
      // Equal to the series before at this place means in order there, so texts are compared for new names only.
      if (pairs[i] === this.#previous[i] && pairs[i - 2] === this.#previous[i - 2] && i < this.#previousWords)
        continue;
      if (pairs[i] === pairs[i - 2]) throw new RangeError("series record names a label twice");
      if (compareStrings(symbols.text(pairs[i - 2]!), symbols.text(pairs[i]!)) < 0) continue;
      const entries = Array.from({ length: count }, (_, k) => ({
        name: pairs[2 * k]!,
        value: pairs[2 * k + 1]!,
      }));
      entries.sort((a, b) => compareStrings(symbols.text(a.name), symbols.text(b.name)));
      if (entries.some(({ name }, k) => name === entries[k - 1]?.name))
        throw new RangeError("series record names a label twice");
      entries.forEach(({ name, value }, k) => pairs.set([name, value], 2 * k));
      return;
    }
  }
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
