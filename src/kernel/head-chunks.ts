import { assert } from "../base/index.ts";
import { MemoryFullError } from "./errors.ts";
import type { KernelExports } from "./exports.ts";
import { chunk, control, slackBytes } from "./layout.ts";
import type { Views } from "./views.ts";

/** What `encodeClosed` put into the buffer: so many chunks and bytes, and the newest time among them. */
export interface EncodedChunks {
  readonly chunks: number;
  readonly bytes: number;
  readonly maxTimestampMs: number;
  /** Bytes that the next record needs, when that is what ended the work; else 0. */
  readonly neededBytes: number;
}

/** A record of a chunks file. */
export interface HeadChunkRecord {
  readonly ref: number;
  readonly minTimestampMs: number;
  readonly maxTimestampMs: number;
  /** Where it begins in what was scanned, and its length. */
  readonly offset: number;
  readonly bytes: number;
  /** The first two bytes of the data, which count the samples. */
  readonly count: number;
  readonly encoding: number;
}

export type ScanEnd = "more" | "end" | "short" | "malformed" | "checksum";

/** Why a scan ended: it wants more bytes (`neededBytes` for the next record), the file ends, or what follows is damaged. */
export interface ScannedChunks {
  /** How many records were found. */
  readonly count: number;
  /** One of them, until the next scan. */
  recordAt(index: number): HeadChunkRecord;
  /** Bytes of the records. */
  readonly bytes: number;
  readonly end: ScanEnd;
  readonly neededBytes: number;
}

/** How scanned chunks are given to their series. */
export interface AttachOptions {
  /** The file and where in it the scan began. */
  readonly file: number;
  readonly start: number;
  /** Chunks that end before are passed over. */
  readonly minTimeMs: number;
  /** By the encoding: the bits of a record's `count` that count its samples. */
  readonly countMasks: readonly number[];
}

/** What became of scanned chunks. */
export interface AttachedChunks {
  /** The index of the first that was not dealt with. */
  readonly next: number;
  /** Why it was not: its series is not there, its encoding or count not known; or it does not follow in time what its series has. Undefined when all were. */
  readonly obstacle: "elsewhere" | "notInOrder" | undefined;
  /** How many were given to series, and their times. */
  readonly given: number;
  readonly minTimestampMs: number;
  readonly maxTimestampMs: number;
  /** Of all that were dealt with. */
  readonly newestMs: number;
  readonly refMax: number;
}

/** A chunk's record in a file. */
export interface HeadChunkPlace {
  readonly file: number;
  readonly offset: number;
}

/** One entry of the table that `listFileChunks` fills: offsets in bytes. */
export const fileChunk = {
  bytes: 24,
  /** f64: file × 2²⁷ + offset. */
  place: 0,
  /** u32: the chunk's head. */
  chunk: 8,
  /** u32: bytes that hold the record. */
  recordBytes: 12,
  /** u32: where the record is in memory; 0 = not loaded, 1 = to be left out. */
  record: 16,
  leftOut: 1,
} as const;

const writeHeaderBytes = 24;
const writeEntryBytes = 16;
const scanHeaderBytes = 16;
const scanEntryBytes = 40;
const scanEnds: readonly ScanEnd[] = ["more", "end", "short", "malformed", "checksum"];
const attachEnds = ["done", "elsewhere", "notInOrder", "full"] as const;
const countMasksMax = 8;
/** Behind the entries: the masks, and what `attachScanned` says. */
const attachBytes = 4 * countMasksMax + 40;
const placeScale = 2 ** 27;
/** A head tells the length of its chunk's record in these units, by 16 bits. */
const recordUnitBytes = 64;
/** Longer records do not go to files. */
export const headChunkRecordBytesMax = 0xffff * recordUnitBytes;

/** Bytes of the table that `encodeClosed` needs for so many chunks. */
export function writeTableBytes(chunks: number): number {
  return writeHeaderBytes + chunks * writeEntryBytes + slackBytes;
}

/** Bytes of the table that `scan` needs for so many records. */
export function scanTableBytes(records: number): number {
  return scanHeaderBytes + records * scanEntryBytes + attachBytes + slackBytes;
}

/** Bytes that `orderByPlace` needs for so many chunks. */
export function orderTableBytes(chunks: number): number {
  return 2 * 4 * chunks + 4 * 256;
}

/** The place that a table or another number says. */
export function headChunkPlace(place: number): HeadChunkPlace {
  return { file: Math.floor(place / placeScale), offset: place % placeScale };
}

/** Where the record of a chunk is whose head says that it is in a file, and a bound of its length, at most 63 bytes above. Any thread. */
export function headChunkPlaceOf({ u32 }: Views, stub: number): HeadChunkPlace & { recordBytesMax: number } {
  const low = u32[(stub + chunk.place) >>> 2]!;
  const high = u32[((stub + chunk.place) >>> 2) + 1]!;
  return {
    file: high >>> 11,
    offset: (high & 0x7ff) * 2 ** 16 + (low >>> 16),
    recordBytesMax: (low & 0xffff) * recordUnitBytes,
  };
}

/** Chunks of the head in files, in upstream's chunks_head format: docs/formats/head-chunks.md. Writing is the main thread's. */
export class HeadChunks {
  readonly #exports: KernelExports;
  readonly #views: Views;

  constructor(exports: KernelExports, views: Views) {
    this.#exports = exports;
    this.#views = views;
  }

  /** Series that have closed chunks in memory. */
  get seriesWaiting(): number {
    const { u32 } = this.#views;
    return u32[control.closedCount >>> 2]! - u32[control.closedTaken >>> 2]!;
  }

  /**
   * Encodes closed chunks of the series that wait as records for `offset` of `file`, into `capacity` bytes at `outPtr`. `tablePtr` has room for
   * `chunksMax` (`writeTableBytes`). `finish` must follow in the same turn.
   */
  encodeClosed(
    outPtr: number,
    capacity: number,
    tablePtr: number,
    chunksMax: number,
    { file, offset }: HeadChunkPlace,
  ): EncodedChunks {
    this.#exports.encodeClosedChunks(outPtr, capacity, tablePtr, chunksMax, file, offset);
    const { u32, f64 } = this.#views;
    const at = tablePtr >>> 2;
    return {
      chunks: u32[at]!,
      bytes: u32[at + 1]!,
      neededBytes: u32[at + 3]!,
      maxTimestampMs: f64[(tablePtr + 16) / 8]!,
    };
  }

  /** When the records are in their file, their chunks leave the memory; else all is as before. */
  finish(tablePtr: number, isWritten: boolean): void {
    this.#exports.finishClosedWrite(tablePtr, isWritten ? 1 : 0);
  }

  /** Reads records from `bytes` at `dataPtr`; `isEnd` says that the file ends with them. */
  scan(dataPtr: number, bytes: number, isEnd: boolean, tablePtr: number, recordsMax: number): ScannedChunks {
    this.#exports.scanHeadChunks(dataPtr, bytes, isEnd ? 1 : 0, tablePtr, recordsMax);
    const { u32, f64 } = this.#views;
    const head = tablePtr >>> 2;
    const recordAt = (index: number): HeadChunkRecord => {
      const ptr = tablePtr + scanHeaderBytes + index * scanEntryBytes;
      const times = ptr / 8;
      const words = (ptr + 24) >>> 2;
      return {
        ref: f64[times]!,
        minTimestampMs: f64[times + 1]!,
        maxTimestampMs: f64[times + 2]!,
        offset: u32[words]!,
        bytes: u32[words + 1]!,
        count: u32[words + 2]!,
        encoding: u32[words + 3]!,
      };
    };
    return {
      count: u32[head]!,
      recordAt,
      bytes: u32[head + 1]!,
      end: scanEnds[u32[head + 2]!]!,
      neededBytes: u32[head + 3]!,
    };
  }

  /**
   * Gives chunks that the last scan found, from index `from` on, to their series in the head, which has nothing but such chunks yet. They become visible at once. Throws
   * MemoryFullError.
   */
  attachScanned(tablePtr: number, from: number, options: AttachOptions): AttachedChunks {
    const { u32, f64 } = this.#views;
    const masksPtr = tablePtr + scanHeaderBytes + u32[tablePtr >>> 2]! * scanEntryBytes;
    const outPtr = masksPtr + 4 * countMasksMax;
    for (let i = 0; i < countMasksMax; i++) u32[(masksPtr >>> 2) + i] = options.countMasks[i] ?? 0;
    const { file, start, minTimeMs } = options;
    const next = this.#exports.attachScanned(tablePtr, from, file, start, masksPtr, minTimeMs, outPtr);
    const end = attachEnds[u32[(outPtr + 32) >>> 2]!]!;
    if (end === "full") throw new MemoryFullError("head chunk", chunk.headerBytes);
    return {
      next,
      obstacle: end === "done" ? undefined : end,
      given: u32[(outPtr + 36) >>> 2]!,
      minTimestampMs: f64[outPtr / 8]!,
      maxTimestampMs: f64[outPtr / 8 + 1]!,
      newestMs: f64[outPtr / 8 + 2]!,
      refMax: f64[outPtr / 8 + 3]!,
    };
  }

  /** The head of a chunk whose record is at `place`, with its pointer to the next older one; `count` without flags. Throws MemoryFullError. */
  createStub(
    older: number,
    record: Pick<HeadChunkRecord, "minTimestampMs" | "maxTimestampMs" | "encoding" | "bytes">,
    count: number,
    { file, offset }: HeadChunkPlace,
  ): number {
    const { minTimestampMs, maxTimestampMs, encoding, bytes } = record;
    assert(bytes <= headChunkRecordBytesMax, "the record may be in a file");
    const stub = this.#exports.headChunkStub(
      older,
      minTimestampMs,
      maxTimestampMs,
      count,
      encoding,
      file,
      offset,
      bytes,
    );
    if (stub === 0) throw new MemoryFullError("head chunk", chunk.headerBytes);
    return stub >>> 0;
  }

  /** Frees heads that no series got, from the newest on. */
  freeStubs(newest: number): void {
    this.#exports.freeHeadChunkStubs(newest);
  }

  /** Gives a series that has no chunks those heads; false when it has. */
  attach(ref: number, newest: number): boolean {
    return this.#exports.seriesAttachChunks(ref, newest) === 1;
  }

  /**
   * Lists the chunks of a series that overlap the time range and are in files as `fileChunk`s, newest first. Returns how many there are, which may be more
   * than `capacity`. Any thread, inside an epoch.
   */
  listFileChunks(
    ref: number,
    minTimestampMs: number,
    maxTimestampMs: number,
    tablePtr: number,
    capacity: number,
  ): number {
    return this.#exports.listFileChunks(ref, minTimestampMs, maxTimestampMs, tablePtr, capacity);
  }

  /** The indexes of `count` listed chunks in the order of their places: a view at `orderPtr`, where `orderTableBytes` are needed. */
  orderByPlace(entriesPtr: number, count: number, orderPtr: number): Uint32Array {
    const digitsPtr = orderPtr + 8 * count;
    this.#exports.orderFileChunks(entriesPtr, count, orderPtr, orderPtr + 4 * count, digitsPtr);
    return this.#views.u32.subarray(orderPtr >>> 2, (orderPtr >>> 2) + count);
  }

  /**
   * Puts the records of `count` listed chunks, in the order at `orderPtr`, one behind the other to `outPtr`, and notes in their entries where they are. They come from `source`,
   * bytes of their file that were read from `start` on, a place. Returns where they end.
   */
  placeRecords(
    entriesPtr: number,
    orderPtr: number,
    count: number,
    start: number,
    source: { readonly ptr: number; readonly bytes: number },
    outPtr: number,
  ): number {
    return (
      this.#exports.placeRecords(entriesPtr, orderPtr, count, start, source.ptr, source.bytes, outPtr) >>> 0
    );
  }

  /** A copy of the data of a listed chunk whose record is loaded; undefined when it is damaged, which is marked in its entry. */
  dataOf(entryPtr: number): Uint8Array | undefined {
    const ptr = this.#exports.fileChunkData(entryPtr) >>> 0;
    return ptr === 0 ? undefined : this.#views.u8.slice(ptr, ptr + this.#exports.fileChunkDataBytes());
  }
}
