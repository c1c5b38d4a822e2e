import {
  type ByteBuffer,
  ChunkDamagedError,
  type Kernel,
  type LoadedBytes,
  type StoredChunkTable,
  type StoredFloats,
  storedTableBytes,
} from "../../kernel/index.ts";
import {
  type HistogramNeed,
  noStarts,
  type SampleColumns,
  type StartTimestamps,
  type StoredHistogram,
} from "../../storage/index.ts";
import { ByteCursor } from "./bytes.ts";
import { chunkCodecs, type ChunkCodec, decodeStarts } from "./chunk-codec.ts";
import {
  chunkBytesMax,
  chunkChecksumBytes,
  chunkEncodingBytes,
  chunkLengthBytesMax,
  chunkOffset,
  chunkSegment,
  chunksHeaderBytes,
} from "./chunk-format.ts";
import type { ChunkSegments } from "./chunk-segments.ts";
import { BlockDamagedError } from "./damage.ts";

/** Read at least, when nothing is known of what is needed next. */
const readBytesMin = 4096;
/** Read at most ahead of what was asked for. */
const readAheadBytesMax = 128 * 1024;
/** A chunk so close behind the window continues a walk through the file. */
const sequentialGapBytes = 65_536;
/** Chunks that follow one another are dealt with at once as long as they begin in a stretch of so many bytes. */
const runBytesMax = 1024 * 1024;
/** Decoding loads up to so many bytes behind a chunk. */
const slackBytes = 64;

const noFloats: StoredFloats = { chunks: 0, samples: 0 };

/**
 * The part of a block's chunk files that is in the shared memory, where the kernel reads it. It moves as chunks are asked for, and
 * grows while they follow one another. For one query; its owner must `close` it.
 */
export class ChunkWindow {
  /** The chunk found last: its encoding, and its data, which starts with the samples' count, in the shared memory. */
  encoding = 0;
  dataPtr = 0;
  dataBytes = 0;
  readonly #kernel: Kernel;
  readonly #segments: ChunkSegments;
  readonly #buffer: ByteBuffer;
  readonly #cursor = new ByteCursor();
  #segment = -1;
  /** Offsets in the segment of what the window holds. */
  #start = 0;
  #end = 0;
  #readAheadBytes = 0;
  /** What the length of the chunk found last takes. */
  #lengthBytes = 0;

  constructor(kernel: Kernel, segments: ChunkSegments) {
    this.#kernel = kernel;
    this.#segments = segments;
    this.#buffer = kernel.createByteBuffer(chunkBytesMax + readAheadBytesMax + slackBytes);
  }

  /** How the chunk found last is decoded; undefined when its encoding is unknown. */
  get codec(): ChunkCodec | undefined {
    return chunkCodecs[this.encoding];
  }

  /** Samples in the chunk found last, as it says itself. */
  get sampleCount(): number {
    const mask = this.codec?.countMask ?? 0xffff;
    return this.dataBytes < 2 ? 0 : this.#kernel.chunkSampleCount(this.dataPtr) & mask;
  }

  /** Encoding and data of the chunk found last, as a block stores them; a view that is good until the next `find`. */
  get bytes(): Uint8Array {
    const { u8 } = this.#kernel.views;
    return u8.subarray(this.dataPtr - chunkEncodingBytes, this.dataPtr + this.dataBytes);
  }

  /** The chunk found last as it stands in its file, with length and checksum; a view that is good until the next `find`. */
  get framed(): Uint8Array {
    const { u8 } = this.#kernel.views;
    const start = this.dataPtr - chunkEncodingBytes - this.#lengthBytes;
    return u8.subarray(start, this.dataPtr + this.dataBytes + chunkChecksumBytes);
  }

  /**
   * Brings the chunk `ref` into memory. `lastRef` says up to which chunk of the same series more will be asked for. Throws
   * BlockDamagedError when there is no such chunk, BlockUnreadableError when the disk fails.
   */
  find(ref: number, lastRef: number = ref): void {
    const segment = chunkSegment(ref);
    const offset = chunkOffset(ref);
    if (segment >= this.#segments.count)
      throw new BlockDamagedError(
        this.#segments.count > 0 ? this.#segments.path(0) : "chunks",
        0,
        `there is no segment ${segment + 1}`,
      );
    const sizeBytes = this.#segments.sizeBytes(segment);
    if (offset < chunksHeaderBytes || offset >= sizeBytes)
      throw new BlockDamagedError(
        this.#segments.path(segment),
        offset,
        `no chunk here, the file has ${sizeBytes} bytes`,
      );
    const aheadBytes = chunkSegment(lastRef) === segment ? Math.max(0, lastRef - ref) : 0;
    if (!this.#holds(segment, offset, Math.min(chunkLengthBytesMax, sizeBytes - offset)))
      this.#load(segment, offset, aheadBytes + readBytesMin);
    const dataBytes = this.#readLength(offset);
    const dataOffset = offset + this.#lengthBytes + chunkEncodingBytes;
    const endOffset = dataOffset + dataBytes + chunkChecksumBytes;
    if (dataBytes > chunkBytesMax || endOffset > sizeBytes)
      this.#view(offset).fail(`chunk of ${dataBytes} bytes does not fit the file`);
    if (endOffset > this.#end)
      this.#load(segment, offset, Math.max(aheadBytes + readBytesMin, endOffset - offset));
    this.dataPtr = this.#buffer.ptr + (dataOffset - this.#start);
    this.dataBytes = dataBytes;
    this.encoding = this.#kernel.views.u8[this.dataPtr - chunkEncodingBytes]!;
  }

  /** Samples of the chunks of floats from `refs[from]` on and before `refs[to]`, up to one with which something is the matter: `find` tells what. */
  countFloats(refs: Float64Array, from: number, to: number): StoredFloats {
    return this.#run(refs, from, to, (loaded, table) => this.#kernel.storedChunks.count(loaded, table));
  }

  /** As `countFloats`, decodes them into `columns`; something is the matter with a damaged chunk, too, and with one for which there is no room. */
  decodeFloats(refs: Float64Array, from: number, to: number, columns: SampleColumns): StoredFloats {
    return this.#run(refs, from, to, (loaded, table) =>
      this.#kernel.storedChunks.decode(loaded, table, columns),
    );
  }

  /** Brings chunks that follow one another in a file into memory, as many as go at once. */
  #run(
    refs: Float64Array,
    from: number,
    to: number,
    take: (loaded: LoadedBytes, table: StoredChunkTable) => StoredFloats,
  ): StoredFloats {
    const segment = chunkSegment(refs[from]!);
    const start = chunkOffset(refs[from]!);
    if (segment >= this.#segments.count || start < chunksHeaderBytes) return noFloats;
    const left = this.#segments.sizeBytes(segment) - start;
    const bytesMax = Math.min(left, runBytesMax);
    let count = 0;
    for (let previous = -1; from + count < to; count++) {
      const place = refs[from + count]! - refs[from]!;
      if (place <= previous || place >= bytesMax) break;
      previous = place;
    }
    if (count === 0) return noFloats;
    const bytes = Math.min(left, refs[from + count - 1]! - refs[from]! + readBytesMin);
    if (!this.#holds(segment, start, bytes)) this.#load(segment, start, bytes);
    const { scratch, storedChunks } = this.#kernel;
    const mark = scratch.mark();
    try {
      const tablePtr = scratch.allocate(storedTableBytes(count));
      for (let i = 0; i < count; i++) storedChunks.setPlace(tablePtr, i, refs[from + i]! - refs[from]!);
      const ptr = this.#buffer.ptr + (start - this.#start);
      return take({ ptr, bytes: this.#end - start }, { tablePtr, count });
    } finally {
      scratch.release(mark);
    }
  }

  /** Throws BlockDamagedError when the chunk found last does not have its checksum. */
  verify(): void {
    const end = this.dataPtr + this.dataBytes;
    const { u8 } = this.#kernel.views;
    const expected = ((u8[end]! << 24) | (u8[end + 1]! << 16) | (u8[end + 2]! << 8) | u8[end + 3]!) >>> 0;
    const crc = this.#kernel.crc32c(this.dataPtr - chunkEncodingBytes, this.dataBytes + chunkEncodingBytes);
    if (crc !== expected) this.fail("wrong checksum of a chunk");
  }

  /**
   * Decodes the chunk found last into `columns`, which must hold `sampleCount`. Returns how many samples came: 0 when the codec cannot make floats of them.
   * Throws BlockDamagedError.
   */
  decode({ timestamps, values, capacity }: SampleColumns): number {
    const { codec, dataPtr, dataBytes, sampleCount } = this;
    const encoding = codec?.floatEncoding;
    if (encoding === undefined) return 0;
    return this.#checked(() =>
      this.#kernel.decodeChunk(encoding, dataPtr, dataBytes, sampleCount, timestamps, values, capacity),
    );
  }

  /** The histograms of the chunk found last, those that are needed at least; none when the codec cannot make histograms of it. Throws BlockDamagedError. */
  decodeHistograms(need?: HistogramNeed): StoredHistogram[] {
    const { u8 } = this.#kernel.views;
    const data = u8.subarray(this.dataPtr, this.dataPtr + this.dataBytes);
    return this.#checked(() => this.codec?.decodeHistograms?.(this.#kernel, data, need) ?? []);
  }

  /** Since when the floats of the chunk found last count, as far as it keeps that. Throws BlockDamagedError. */
  decodeStarts(): StartTimestamps {
    const { codec, dataPtr, dataBytes, sampleCount: count } = this;
    if (codec === undefined) return noStarts;
    return this.#checked(() => decodeStarts(this.#kernel, codec, { dataPtr, dataBytes, count }));
  }

  #checked<T>(decode: () => T): T {
    try {
      return decode();
    } catch (error) {
      if (error instanceof ChunkDamagedError) this.fail(error.message);
      throw error;
    }
  }

  /** Throws BlockDamagedError for the chunk found last. */
  fail(reason: string): never {
    const offset = this.#start + (this.dataPtr - this.#buffer.ptr) - chunkEncodingBytes;
    throw new BlockDamagedError(this.#segments.path(this.#segment), offset, reason);
  }

  close(): void {
    this.#buffer.close();
    this.#segment = -1;
  }

  #holds(segment: number, offset: number, bytes: number): boolean {
    return segment === this.#segment && offset >= this.#start && offset + bytes <= this.#end;
  }

  #load(segment: number, offset: number, bytesMin: number): void {
    const isSequential =
      segment === this.#segment && offset >= this.#start && offset <= this.#end + sequentialGapBytes;
    this.#readAheadBytes = isSequential
      ? Math.min(Math.max(this.#readAheadBytes * 2, readBytesMin), readAheadBytesMax)
      : 0;
    const wanted = Math.min(bytesMin, chunkBytesMax) + this.#readAheadBytes;
    const bytes = Math.min(wanted, this.#segments.sizeBytes(segment) - offset);
    this.#segment = -1;
    const ptr = this.#buffer.reserve(bytes + slackBytes);
    this.#segments.read(segment, this.#kernel.views.u8.subarray(ptr, ptr + bytes), offset);
    this.#segment = segment;
    this.#start = offset;
    this.#end = offset + bytes;
  }

  /** The length that a chunk which the window holds begins with. */
  #readLength(offset: number): number {
    const { u8 } = this.#kernel.views;
    const ptr = this.#buffer.ptr + (offset - this.#start);
    const low = u8[ptr]!;
    const high = u8[ptr + 1]!;
    // Nearly all chunks have between 128 and 16,383 bytes.
    if (low >= 0x80 && high < 0x80 && offset + 2 <= this.#end) {
      this.#lengthBytes = 2;
      return (low & 0x7f) | (high << 7);
    }
    const cursor = this.#view(offset);
    const length = cursor.uvarint();
    this.#lengthBytes = cursor.offset - offset;
    return length;
  }

  /** A cursor at an offset that the window holds. */
  #view(offset: number): ByteCursor {
    const { u8 } = this.#kernel.views;
    const from = this.#buffer.ptr + (offset - this.#start);
    const left = Math.min(this.#end - offset, chunkLengthBytesMax);
    const bytes = Buffer.from(u8.buffer, from, left);
    return this.#cursor.set(this.#segments.path(this.#segment), offset, bytes, 0, left);
  }
}
