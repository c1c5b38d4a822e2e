import type { Disk } from "../../base/index.ts";
import { chunksHeaderBytes, chunksMagic, chunksVersion } from "./chunk-format.ts";
import { BlockDamagedError } from "./damage.ts";
import { readFully } from "./read-fully.ts";

interface ChunkSegment {
  readonly path: string;
  readonly fd: number;
  readonly sizeBytes: number;
}

/** The open chunk files of a block, in the order that refs count them. Owned by who opened them, who must `close` them. */
export class ChunkSegments {
  readonly #disk: Disk;
  readonly #segments: ChunkSegment[] = [];

  /** Throws the disk's error, or BlockDamagedError when a header is not in order. */
  constructor(disk: Disk, directory: string) {
    this.#disk = disk;
    try {
      for (const path of listChunkSegments(disk, directory)) this.#open(path);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  get count(): number {
    return this.#segments.length;
  }

  path(segment: number): string {
    return this.#segments[segment]!.path;
  }

  sizeBytes(segment: number): number {
    return this.#segments[segment]!.sizeBytes;
  }

  /** Fills `bytes` from `offset` on. Throws BlockDamagedError when the file ends before, BlockUnreadableError when the disk fails. */
  read(segment: number, bytes: Uint8Array, offset: number): void {
    const { fd, path } = this.#segments[segment]!;
    readFully(this.#disk, fd, path, bytes, offset);
  }

  close(): void {
    for (const { fd } of this.#segments.splice(0)) this.#disk.close(fd);
  }

  #open(path: string): void {
    const sizeBytes = this.#disk.stat(path)?.sizeBytes ?? 0;
    this.#segments.push({ path, fd: this.#disk.open(path, "r"), sizeBytes });
    if (sizeBytes < chunksHeaderBytes)
      throw new BlockDamagedError(path, 0, `header expected, the file has ${sizeBytes} bytes`);
    const header = Buffer.alloc(chunksHeaderBytes);
    this.read(this.#segments.length - 1, header, 0);
    if (header.readUInt32BE(0) !== chunksMagic)
      throw new BlockDamagedError(path, 0, "these are no chunks: wrong magic number");
    if (header[4] !== chunksVersion)
      throw new BlockDamagedError(path, 4, `chunk format version ${header[4]} is unknown`);
  }
}

/** Paths of a block's chunk files in order. */
export function listChunkSegments(disk: Disk, directory: string): string[] {
  const chunks = `${directory}/chunks`;
  if (disk.stat(chunks) === undefined) return [];
  return disk
    .list(chunks)
    .filter((name) => /^\d{6,}$/.test(name))
    .sort((a, b) => Number(a) - Number(b))
    .map((name) => `${chunks}/${name}`);
}
