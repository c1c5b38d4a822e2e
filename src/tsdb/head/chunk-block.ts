import { type Kernel, layout } from "../../kernel/index.ts";

const { chunk: field, control, slackBytes, slot } = layout;
/** A block begins with room for so much data, and grows by half. */
const capacityMin = 152;

/** The newest sample of a chunk, as the slot of its series tells it. */
export interface NewestSample {
  readonly timestampMs: number;
  /** Of a float; of a histogram those of the stale marker, or 0. */
  readonly bits: bigint;
}

/** A chunk that is encoded by TypeScript. Of its bytes only those from the one before the end on may change with a sample. */
export interface EncodedChunk {
  readonly encoding: number;
  readonly sampleCount: number;
  readonly byteLength: number;
  /** Copies the bytes to `at`: those from `fromByte` on, and its header. */
  copyTo(target: Uint8Array, at: number, fromByte: number): void;
}

/**
 * Where an open chunk that TypeScript encodes lies in the shared memory: at the head of its series' chain. Readers see the samples that
 * are counted; a block that is too small, or whose bytes are written anew, is replaced and retired.
 */
export class ChunkBlock {
  readonly #kernel: Kernel;
  readonly #slotPtr: number;
  readonly #encoding: number;
  #ptr = 0;
  #copiedBytes = 0;

  private constructor(kernel: Kernel, slotPtr: number, encoding: number) {
    this.#encoding = encoding;
    this.#kernel = kernel;
    this.#slotPtr = slotPtr;
  }

  /** Closes the series' open chunk and publishes this one, which has one sample; undefined when the memory is full. */
  static open(
    kernel: Kernel,
    ref: number,
    chunk: EncodedChunk,
    newest: NewestSample,
  ): ChunkBlock | undefined {
    const { series, views } = kernel;
    series.closeChunk(ref);
    const block = new ChunkBlock(kernel, series.slot(ref), chunk.encoding);
    const older = Atomics.load(views.u32, (block.#slotPtr + slot.chunkPtr) >>> 2);
    if (!block.#move(chunk, older, newest.timestampMs, newest)) return undefined;
    Atomics.add(views.u32, control.chunkCount >>> 2, 1);
    return block;
  }

  /** Whether it is still the series' newest chunk, and open. One of floats may have come to the same place meanwhile. */
  get isOpen(): boolean {
    const { u32, u8 } = this.#kernel.views;
    const ptr = this.#ptr;
    const isClosed = (u8[ptr + field.flags]! & layout.chunkFlagClosed) !== 0;
    const isNewest = u32[(this.#slotPtr + slot.chunkPtr) >>> 2] === ptr;
    return isNewest && !isClosed && u8[ptr + field.encoding] === this.#encoding;
  }

  /** Publishes the sample that was added to the chunk last; false when the memory is full, then it is not, and the block is of no more use. */
  publish(chunk: EncodedChunk, newest: NewestSample, isRecoded: boolean): boolean {
    const { arena, views } = this.#kernel;
    const { i64, u16, u32, u8 } = views;
    const ptr = this.#ptr;
    const capacity = u32[(ptr + field.capacity) >>> 2]!;
    if (isRecoded || chunk.byteLength > capacity) {
      const minTimestampMs = Number(i64[(ptr + field.minTimestampMs) / 8]);
      const older = u32[(ptr + field.older) >>> 2]!;
      if (!this.#move(chunk, older, minTimestampMs, newest)) return false;
      arena.retire(ptr, field.headerBytes + capacity + slackBytes);
      return true;
    }
    chunk.copyTo(u8, ptr + field.headerBytes, this.#copiedBytes - 1);
    i64[(ptr + field.maxTimestampMs) / 8] = BigInt(newest.timestampMs);
    this.#note(chunk, newest);
    Atomics.store(u16, (ptr + field.count) >>> 1, chunk.sampleCount);
    return true;
  }

  /** Puts the whole chunk into a fresh block, which becomes the series' newest. */
  #move(chunk: EncodedChunk, older: number, minTimestampMs: number, newest: NewestSample): boolean {
    const { arena, views } = this.#kernel;
    const { i64, u16, u32, u8 } = views;
    const wanted = Math.max(capacityMin, Math.ceil(chunk.byteLength * 1.5));
    const blockBytes = arena.classBytes(field.headerBytes + wanted + slackBytes);
    const ptr = arena.tryAllocate(blockBytes);
    if (ptr === 0) return false;
    u8.fill(0, ptr, ptr + field.headerBytes);
    u32[(ptr + field.older) >>> 2] = older;
    u32[(ptr + field.capacity) >>> 2] = blockBytes - field.headerBytes - slackBytes;
    u16[(ptr + field.count) >>> 1] = chunk.sampleCount;
    u8[ptr + field.encoding] = chunk.encoding;
    i64[(ptr + field.minTimestampMs) / 8] = BigInt(minTimestampMs);
    i64[(ptr + field.maxTimestampMs) / 8] = BigInt(newest.timestampMs);
    chunk.copyTo(u8, ptr + field.headerBytes, 0);
    this.#ptr = ptr;
    this.#note(chunk, newest);
    Atomics.store(u32, (this.#slotPtr + slot.chunkPtr) >>> 2, ptr);
    return true;
  }

  /** Tells the kernel what it needs to close the chunk and to judge the next sample. */
  #note(chunk: EncodedChunk, { timestampMs, bits }: NewestSample): void {
    const { i64, u32, u64 } = this.#kernel.views;
    this.#copiedBytes = chunk.byteLength;
    i64[(this.#slotPtr + slot.lastTimestampMs) / 8] = BigInt(timestampMs);
    u64[(this.#slotPtr + slot.lastValueBits) / 8] = bits;
    u32[(this.#slotPtr + slot.bitPos) >>> 2] = 8 * chunk.byteLength;
  }
}
