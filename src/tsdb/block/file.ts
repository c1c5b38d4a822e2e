import type { Disk } from "../../base/index.ts";
import type { BlockCache } from "./cache.ts";
import type { ByteCursor } from "./bytes.ts";
import { BlockDamagedError } from "./damage.ts";
import { readFully } from "./read-fully.ts";

export const filePageBytes = 16_384;
/** Longer stretches are read past the cache. */
const cachedBytesMax = 4 * filePageBytes;

/** A file of a block, read by position through the cache. Owned by who opened it, who must `close` it. */
export class BlockFile {
  readonly path: string;
  readonly sizeBytes: number;
  /** Its number in the cache. */
  readonly number: number;
  readonly cache: BlockCache;
  readonly #disk: Disk;
  readonly #fd: number;
  #pageIndex = -1;
  #page: Buffer = Buffer.alloc(0);

  /** Throws the disk's error. */
  constructor(disk: Disk, path: string, cache: BlockCache) {
    this.#disk = disk;
    this.path = path;
    this.sizeBytes = disk.stat(path)?.sizeBytes ?? 0;
    this.#fd = disk.open(path, "r");
    this.cache = cache;
    this.number = cache.nextFileNumber();
  }

  close(): void {
    this.#disk.close(this.#fd);
  }

  /** Sets `cursor` to `length` bytes at `offset`, which the caller must not change. */
  view(offset: number, length: number, cursor: ByteCursor): ByteCursor {
    this.check(offset, length);
    const index = Math.floor(offset / filePageBytes);
    const start = index * filePageBytes;
    if (offset + length <= start + filePageBytes) {
      const page = this.#loadPage(index);
      return cursor.set(this.path, start, page, offset - start, offset - start + length);
    }
    return cursor.set(this.path, offset, this.bytes(offset, length), 0, length);
  }

  /** A copy of `length` bytes at `offset`. */
  bytes(offset: number, length: number): Buffer {
    this.check(offset, length);
    const out = Buffer.from(new ArrayBuffer(length));
    if (length > cachedBytesMax) this.#read(out, offset);
    else {
      for (let done = 0; done < length;) {
        const index = Math.floor((offset + done) / filePageBytes);
        const within = offset + done - index * filePageBytes;
        done += this.#loadPage(index).copy(out, done, within);
      }
    }
    return out;
  }

  /** Throws BlockDamagedError when the file has no such bytes. */
  check(offset: number, length: number): void {
    if (offset + length > this.sizeBytes)
      throw new BlockDamagedError(
        this.path,
        offset,
        `${length} bytes expected, the file ends at ${this.sizeBytes}`,
      );
  }

  #loadPage(index: number): Buffer {
    if (index === this.#pageIndex) return this.#page;
    let page = this.cache.get(this.number, index) as Buffer | undefined;
    if (page === undefined) {
      const start = index * filePageBytes;
      page = Buffer.from(new ArrayBuffer(Math.min(filePageBytes, this.sizeBytes - start)));
      this.#read(page, start);
      this.cache.put(this.number, index, page, page.length);
    }
    this.#pageIndex = index;
    this.#page = page;
    return page;
  }

  #read(out: Buffer, offset: number): void {
    readFully(this.#disk, this.#fd, this.path, out, offset);
  }
}
