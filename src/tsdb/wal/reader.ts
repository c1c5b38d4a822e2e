import { type Disk, errorMessage } from "../../base/index.ts";
import { type ByteBuffer, type Kernel, MemoryFullError } from "../../kernel/index.ts";
import { decompressRecord, peekRecordType, recordBytesMax } from "./compression.ts";
import { fragment, fragmentHeaderBytes, fragmentTypeMask, pageBytes, snappyBit, zstdBit } from "./segment.ts";

/** A place in a segment that could not be read. */
export interface WalDamage {
  readonly path: string;
  readonly offset: number;
  readonly reason: string;
}

/** What is to be told of a segment that was read to its end. */
export interface SegmentEnd {
  /** What was unreadable and is followed by readable records. */
  readonly damages: readonly WalDamage[];
  /** The unreadable rest of the file, when it does not end with a good record. */
  readonly tail: WalDamage | undefined;
  /** Where the last good record ends, padding not included. */
  readonly goodBytes: number;
}

export interface SegmentReaderOptions {
  /** How far to read. Default: to the end. */
  readonly sizeBytes?: number | undefined;
  /** Records of other types are passed over, as far as that can be told without decompressing them. Default: none. */
  readonly onlyType?: number | undefined;
}

const windowPages = 32;
const windowBytes = windowPages * pageBytes;
const compressionBits = snappyBit | zstdBit;

/**
 * Reads the records of one segment in order, a window of pages at a time. Damage costs the record it is in: reading goes on at the next
 * fragment whose checksum holds. Owned by who opened it, who must `close` it.
 */
export class SegmentReader {
  /** What was unreadable and is followed by readable records. */
  readonly damages: WalDamage[] = [];
  /** Where the last good record ends, padding not included. */
  goodBytes = 0;
  readonly #kernel: Kernel;
  readonly #disk: Disk;
  readonly #path: string;
  readonly #fd: number;
  #sizeBytes: number;
  readonly #window: ByteBuffer;
  /** File offset of the window's first byte, a multiple of the page. */
  #windowStart = -windowBytes;
  /** File offset of the next fragment. */
  #offset = 0;
  /** Parts of the record that is being put together, one after the other; empty while none is. */
  readonly #parts: ByteBuffer;
  #hasParts = false;
  #partBits = 0;
  /** The record that was decompressed last. */
  readonly #record: ByteBuffer;
  readonly #onlyType: number | undefined;
  /** The parts that follow are of a record that is passed over. */
  #passesOver = false;
  /** The first unreadable place since the last good record. */
  #pending: WalDamage | undefined;

  /** Throws the disk's error. */
  constructor(kernel: Kernel, disk: Disk, path: string, { sizeBytes, onlyType }: SegmentReaderOptions = {}) {
    this.#onlyType = onlyType;
    this.#kernel = kernel;
    this.#disk = disk;
    this.#path = path;
    this.#sizeBytes = sizeBytes ?? disk.stat(path)?.sizeBytes ?? 0;
    this.#fd = disk.open(path, "r");
    this.#window = kernel.createByteBuffer(windowBytes);
    this.#parts = kernel.createByteBuffer(recordBytesMax);
    this.#record = kernel.createByteBuffer(recordBytesMax);
    try {
      this.#window.reserve(windowBytes);
    } catch (error) {
      disk.close(this.#fd);
      throw error;
    }
  }

  /** The segment has been written up to `sizeBytes`: `next` goes on. */
  extend(sizeBytes: number): void {
    this.#sizeBytes = sizeBytes;
    this.#windowStart = -windowBytes;
  }

  /** Bytes of the file already walked over. */
  get position(): number {
    return this.#offset;
  }

  /** The unreadable rest of the file, when it does not end with a good record. */
  get tail(): WalDamage | undefined {
    return this.#pending;
  }

  /** What is to be told when `next` has reached the end. */
  get end(): SegmentEnd {
    return { damages: this.damages, tail: this.tail, goodBytes: this.goodBytes };
  }

  /**
   * The next record, decompressed, in the shared memory and valid until the next call; undefined at the end. Throws the disk's error, and MemoryFullError.
   */
  next(): Uint8Array | undefined {
    while (this.#offset < this.#sizeBytes) {
      const record = this.#step();
      if (record === undefined) continue;
      this.goodBytes = this.#offset;
      if (this.#pending) this.damages.push(this.#pending);
      this.#pending = undefined;
      return record;
    }
    if (this.#hasParts) this.#damaged(this.#offset, "record without its last part");
    this.#dropParts();
    return undefined;
  }

  close(): void {
    this.#disk.close(this.#fd);
    this.#window.close();
    this.#parts.close();
    this.#record.close();
  }

  /** Moves on by a fragment, or by a page's padding; returns a record when the fragment completes it. */
  #step(): Uint8Array | undefined {
    const start = this.#offset;
    const pageEnd = Math.min(start - (start % pageBytes) + pageBytes, this.#sizeBytes);
    this.#load(start);
    const { u8 } = this.#kernel.views;
    const at = this.#window.ptr + (start - this.#windowStart);
    const left = pageEnd - start;
    const header = u8[at]!;
    if (header === fragment.pagePadding || left < fragmentHeaderBytes) {
      this.#offset = pageEnd;
      const isDamaged = !isZero(u8.subarray(at, at + left));
      if (isDamaged || this.#hasParts)
        this.#damaged(start, "padding where bytes were expected, or the reverse");
      this.#dropParts();
      if (isDamaged) this.#resume(start + 1, pageEnd);
      return undefined;
    }
    if (this.#onlyType !== undefined && this.#isPassedBy(at, left)) {
      this.#offset = start + fragmentHeaderBytes + this.#lengthAt(at);
      return undefined;
    }
    if (!this.#isFragment(at, left)) {
      this.#damaged(start, "fragment with a wrong checksum or header");
      this.#dropParts();
      this.#resume(start + 1, pageEnd);
      return undefined;
    }
    const length = this.#lengthAt(at);
    const data = u8.subarray(at + fragmentHeaderBytes, at + fragmentHeaderBytes + length);
    this.#offset = start + fragmentHeaderBytes + length;
    return this.#assemble(start, header & fragmentTypeMask, header & compressionBits, data);
  }

  /** Whether a fragment is of a record that is passed over, as far as that can be told; then its checksum does not matter. */
  #isPassedBy(at: number, left: number): boolean {
    const { u8 } = this.#kernel.views;
    if (!this.#isHeader(at, left)) return false;
    const header = u8[at]!;
    const type = header & fragmentTypeMask;
    if (type === fragment.full || type === fragment.first) {
      const from = at + fragmentHeaderBytes;
      const recordTypeFound = peekRecordType(
        u8.subarray(from, from + this.#lengthAt(at)),
        header & compressionBits,
      );
      const isPassed = !this.#hasParts && recordTypeFound !== undefined && recordTypeFound !== this.#onlyType;
      this.#passesOver = isPassed && type === fragment.first;
      return isPassed;
    }
    const isPassed = this.#passesOver;
    if (type === fragment.last) this.#passesOver = false;
    return isPassed;
  }

  #assemble(start: number, type: number, bits: number, data: Uint8Array): Uint8Array | undefined {
    const isFirst = type === fragment.full || type === fragment.first;
    if (isFirst === this.#hasParts) {
      this.#damaged(start, isFirst ? "record without its last part" : "part of a record without its first");
      this.#dropParts();
      if (!isFirst) return undefined;
    }
    if (type === fragment.full) return this.#finish(start, data, bits);
    if (isFirst) this.#partBits = bits;
    if (this.#parts.bytes + data.length > recordBytesMax) {
      this.#damaged(start, `record longer than ${recordBytesMax} bytes`);
      this.#dropParts();
      return undefined;
    }
    // Copied, because the window moves on before the record is whole.
    this.#parts.append(data);
    this.#hasParts = true;
    if (type !== fragment.last) return undefined;
    const whole = this.#parts.view();
    this.#dropParts();
    return this.#finish(start, whole, this.#partBits);
  }

  #finish(start: number, data: Uint8Array, bits: number): Uint8Array | undefined {
    try {
      return decompressRecord(this.#kernel, data, bits, this.#record);
    } catch (error) {
      if (error instanceof MemoryFullError) throw error;
      this.#damaged(start, `record cannot be decompressed: ${errorMessage(error)}`);
      return undefined;
    }
  }

  #dropParts(): void {
    this.#parts.clear();
    this.#hasParts = false;
    this.#passesOver = false;
  }

  #damaged(offset: number, reason: string): void {
    this.#pending ??= { path: this.#path, offset, reason };
  }

  /** Continues at the first true fragment in [from, pageEnd), else at the next page. */
  #resume(from: number, pageEnd: number): void {
    const { u8 } = this.#kernel.views;
    this.#offset = pageEnd;
    for (let offset = from; offset + fragmentHeaderBytes < pageEnd; offset++) {
      const at = this.#window.ptr + (offset - this.#windowStart);
      // An empty fragment is seven bytes that zeros can imitate.
      const isEmpty = u8[at + 1] === 0 && u8[at + 2] === 0;
      if (isEmpty || !this.#isFragment(at, pageEnd - offset)) continue;
      this.#offset = offset;
      return;
    }
  }

  #lengthAt(at: number): number {
    const { u8 } = this.#kernel.views;
    return (u8[at + 1]! << 8) | u8[at + 2]!;
  }

  /** Whether a fragment with the right checksum stands at `at`. */
  #isFragment(at: number, left: number): boolean {
    if (!this.#isHeader(at, left)) return false;
    const { u8 } = this.#kernel.views;
    const expected = ((u8[at + 3]! << 24) | (u8[at + 4]! << 16) | (u8[at + 5]! << 8) | u8[at + 6]!) >>> 0;
    return this.#kernel.crc32c(at + fragmentHeaderBytes, this.#lengthAt(at)) === expected;
  }

  /** Whether a fragment's head with a known type and a length that the page holds stands at `at`. */
  #isHeader(at: number, left: number): boolean {
    const { u8 } = this.#kernel.views;
    const header = u8[at]!;
    const type = header & fragmentTypeMask;
    if (
      type < fragment.full ||
      type > fragment.last ||
      (header & ~(fragmentTypeMask | compressionBits)) !== 0
    )
      return false;
    return this.#lengthAt(at) + fragmentHeaderBytes <= left;
  }

  /** Brings the page of `offset` into the window. */
  #load(offset: number): void {
    if (offset < this.#windowStart + windowBytes && offset >= this.#windowStart) return;
    this.#windowStart = offset - (offset % pageBytes);
    const { u8 } = this.#kernel.views;
    const wanted = Math.min(windowBytes, this.#sizeBytes - this.#windowStart);
    let got = 0;
    while (got < wanted) {
      const from = this.#window.ptr + got;
      const count = this.#disk.read(
        this.#fd,
        u8.subarray(from, this.#window.ptr + wanted),
        this.#windowStart + got,
      );
      if (count === 0) break;
      got += count;
    }
    // A file that shrank meanwhile reads as padding.
    u8.fill(0, this.#window.ptr + got, this.#window.ptr + wanted);
  }
}

function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}
