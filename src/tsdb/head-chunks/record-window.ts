import type { HeadChunkPlace } from "../../kernel/index.ts";
import type { HeadChunkFiles } from "./files.ts";

/** A record so close to what was read last is taken for one of several that follow one another, up or down, in the file. */
const gapBytesMax = 8192;
/** What is read with such a one, on the side where the next are expected. */
const aheadBytes = 64 * 1024;
const nothing = new Uint8Array(0);

/** Reads records one by one, and neighbours with one read. */
export class RecordWindow {
  readonly #files: HeadChunkFiles;
  #file = -1;
  /** Offset in the file of what was read last. */
  #start = 0;
  #bytes: Uint8Array = nothing;

  constructor(files: HeadChunkFiles) {
    this.#files = files;
  }

  /** The bytes from a place on: the record's, as far as the file has them. Throws what `HeadChunkFiles` does. */
  read({ file, offset, recordBytesMax }: HeadChunkPlace & { recordBytesMax: number }): Uint8Array {
    if (!this.#holds(file, offset, offset + recordBytesMax))
      this.#load(file, offset, offset + recordBytesMax);
    return this.#bytes.subarray(offset - this.#start, offset - this.#start + recordBytesMax);
  }

  #holds(file: number, from: number, to: number): boolean {
    return file === this.#file && from >= this.#start && to <= this.#start + this.#bytes.length;
  }

  #load(file: number, from: number, to: number): void {
    const end = this.#start + this.#bytes.length;
    const isNear = file === this.#file && from <= end + gapBytesMax && to >= this.#start - gapBytesMax;
    const goesDown = from < this.#start;
    const first = isNear && goesDown ? Math.max(0, from - aheadBytes) : from;
    const last = isNear && !goesDown ? to + aheadBytes : to;
    const bytes = new Uint8Array(last - first);
    this.#file = -1;
    this.#bytes = bytes.subarray(0, this.#files.read(file, bytes, first));
    this.#file = file;
    this.#start = first;
  }
}
