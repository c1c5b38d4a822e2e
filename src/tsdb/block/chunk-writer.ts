import type { Disk } from "../../base/index.ts";
import type { Kernel } from "../../kernel/index.ts";
import { ByteWriter } from "./bytes.ts";
import {
  chunkChecksumBytes,
  chunkEncodingBytes,
  chunkLengthBytesMax,
  chunkRef,
  chunkSegmentBytesMax,
  chunkSegmentName,
  chunksHeaderBytes,
  chunksMagic,
  chunksVersion,
} from "./chunk-format.ts";
import { FileWriter } from "./file-writer.ts";

/** Writes a block's chunk files into a directory, which must exist. Owned by who made it, who must `finish` or `abandon` it. */
export class ChunkWriter {
  readonly #kernel: Kernel;
  readonly #disk: Disk;
  readonly #directory: string;
  readonly #segmentBytesMax: number;
  readonly #frame = new ByteWriter(64);
  #segment = -1;
  #file: FileWriter | undefined;

  constructor(kernel: Kernel, disk: Disk, directory: string, segmentBytesMax: number = chunkSegmentBytesMax) {
    this.#kernel = kernel;
    this.#disk = disk;
    this.#directory = directory;
    this.#segmentBytesMax = segmentBytesMax;
  }

  /** Writes a chunk whose data is at `dataPtr` in the shared memory; returns its ref. Throws the disk's error. */
  addData(encoding: number, dataPtr: number, dataBytes: number): number {
    const { exports, scratch, views } = this.#kernel;
    const frameBytesMax = chunkLengthBytesMax + chunkEncodingBytes + dataBytes + chunkChecksumBytes;
    const mark = scratch.mark();
    try {
      const ptr = scratch.allocate(frameBytesMax);
      const bytes = exports.frameChunk(encoding, dataPtr, dataBytes, ptr);
      return this.addFramed(views.u8.subarray(ptr, ptr + bytes));
    } finally {
      scratch.release(mark);
    }
  }

  /** Where the next chunk goes, and how many bytes have room behind it in its file. Throws the disk's error. */
  room(): { ref: number; bytes: number } {
    const file = this.#file ?? this.#nextSegment();
    return { ref: chunkRef(this.#segment, file.position), bytes: this.#segmentBytesMax - file.position };
  }

  /** Writes a chunk, or several that have room, as they stand in a file; returns the ref of the first. Throws the disk's error. */
  addFramed(bytes: Uint8Array): number {
    const isFull = this.#file === undefined || this.#file.position + bytes.length > this.#segmentBytesMax;
    const file = isFull ? this.#nextSegment() : this.#file!;
    const offset = file.position;
    file.write(bytes);
    return chunkRef(this.#segment, offset);
  }

  finish(): void {
    this.#file?.finish();
    this.#file = undefined;
  }

  abandon(): void {
    this.#file?.abandon();
    this.#file = undefined;
  }

  #nextSegment(): FileWriter {
    this.finish();
    this.#segment++;
    const file = (this.#file = new FileWriter(
      this.#disk,
      `${this.#directory}/${chunkSegmentName(this.#segment)}`,
    ));
    const header = this.#frame.clear().u32(chunksMagic).u8(chunksVersion);
    file.write(header.bytes(new Uint8Array(chunksHeaderBytes - header.length)).view());
    return file;
  }
}
