import type { Disk } from "../../base/index.ts";
import type { Kernel } from "../../kernel/index.ts";
import { ByteCursor, ByteWriter } from "./bytes.ts";
import { checksumOf } from "./checksum.ts";
import { BlockDamagedError } from "./damage.ts";

const tombstonesMagic = 0x0130ba30;
const tombstonesVersion = 1;
const headerBytes = 5;
const checksumBytes = 4;
/** Tombstones are held in memory; a file larger than this is refused. */
export const tombstonesBytesMax = 64 * 1024 * 1024;

/** Deleted times in milliseconds, both ends included. */
export interface Interval {
  readonly minTimestampMs: number;
  readonly maxTimestampMs: number;
}

/** What is deleted of a block's series: per ref, intervals that neither touch nor overlap, in order. */
export class Tombstones {
  readonly #byRef = new Map<number, Interval[]>();

  /** `byRef`: intervals in any order. */
  constructor(byRef: Iterable<readonly [ref: number, intervals: Interval[]]> = []) {
    for (const [ref, intervals] of byRef) this.#byRef.set(ref, joinIntervals(intervals));
  }

  /** Intervals: what upstream counts as tombstones. */
  get count(): number {
    let count = 0;
    for (const intervals of this.#byRef.values()) count += intervals.length;
    return count;
  }

  get refs(): number[] {
    return [...this.#byRef.keys()].sort((a, b) => a - b);
  }

  of(ref: number): readonly Interval[] | undefined {
    return this.#byRef.get(ref);
  }

  /** Deletes an interval of a series, joining it with those it touches. */
  add(ref: number, interval: Interval): void {
    this.#byRef.set(ref, joinIntervals([...(this.#byRef.get(ref) ?? []), interval]));
  }
}

/** Puts intervals in order and joins those that touch or overlap. */
export function joinIntervals(intervals: Interval[]): Interval[] {
  intervals.sort((a, b) => a.minTimestampMs - b.minTimestampMs);
  const joined: Interval[] = [];
  for (const { minTimestampMs, maxTimestampMs } of intervals) {
    const last = joined.at(-1);
    if (last === undefined || minTimestampMs > last.maxTimestampMs + 1)
      joined.push({ minTimestampMs, maxTimestampMs });
    else if (maxTimestampMs > last.maxTimestampMs)
      joined[joined.length - 1] = { minTimestampMs: last.minTimestampMs, maxTimestampMs };
  }
  return joined;
}

/** Whether every time from `minTimestampMs` to `maxTimestampMs` is deleted. */
export function isDeleted(
  intervals: readonly Interval[],
  minTimestampMs: number,
  maxTimestampMs: number,
): boolean {
  return intervals.some(
    (interval) => interval.minTimestampMs <= minTimestampMs && interval.maxTimestampMs >= maxTimestampMs,
  );
}

/** The file's bytes. */
export function encodeTombstones(kernel: Kernel, tombstones: Tombstones): Uint8Array {
  const writer = new ByteWriter().u32(tombstonesMagic).u8(tombstonesVersion);
  for (const ref of tombstones.refs) {
    for (const { minTimestampMs, maxTimestampMs } of tombstones.of(ref)!)
      writer.uvarint(ref).varint(minTimestampMs).varint(maxTimestampMs);
  }
  return writer.u32(checksumOf(kernel, writer.view().subarray(headerBytes))).view();
}

/** A block's tombstones; none when there is no file. Throws the disk's error or BlockDamagedError. */
export function readTombstones(kernel: Kernel, disk: Disk, path: string): Tombstones {
  const sizeBytes = disk.stat(path)?.sizeBytes;
  if (sizeBytes === undefined) return new Tombstones();
  if (sizeBytes > tombstonesBytesMax)
    throw new BlockDamagedError(
      path,
      0,
      `${sizeBytes} bytes of tombstones, at most ${tombstonesBytesMax} are read`,
    );
  return decodeTombstones(kernel, path, Buffer.from(disk.readFile(path)));
}

export function decodeTombstones(kernel: Kernel, path: string, bytes: Buffer): Tombstones {
  const cursor = new ByteCursor().set(path, 0, bytes, 0, bytes.length);
  if (bytes.length < headerBytes + checksumBytes) cursor.fail("the file is too short");
  if (cursor.u32() !== tombstonesMagic) cursor.fail("these are no tombstones: wrong magic number");
  const version = cursor.u8();
  if (version !== tombstonesVersion) cursor.fail(`tombstones version ${version} is unknown`);
  cursor.end -= checksumBytes;
  if (checksumOf(kernel, bytes.subarray(headerBytes, cursor.end)) !== bytes.readUInt32BE(cursor.end))
    cursor.fail("wrong checksum");
  const byRef = new Map<number, Interval[]>();
  while (cursor.left > 0) {
    const ref = cursor.uvarint();
    const interval = { minTimestampMs: cursor.varint(), maxTimestampMs: cursor.varint() };
    const intervals = byRef.get(ref);
    if (intervals === undefined) byRef.set(ref, [interval]);
    else intervals.push(interval);
  }
  return new Tombstones(byRef);
}
