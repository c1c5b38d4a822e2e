import type { Disk } from "../../base/index.ts";
import type { Kernel } from "../../kernel/index.ts";
import type { BlockCache } from "./cache.ts";
import { ChunkSegments, listChunkSegments } from "./chunk-segments.ts";
import { ChunkWindow } from "./chunk-window.ts";
import { BlockDamagedError } from "./damage.ts";
import { IndexReader } from "./index-reader.ts";
import { type BlockMeta, readMeta } from "./meta.ts";
import { SeriesEntry } from "./series-entry.ts";
import { readTombstones, type Tombstones } from "./tombstones.ts";

/** What a thread reads blocks with. */
export interface BlockContext {
  readonly kernel: Kernel;
  readonly disk: Disk;
  readonly cache: BlockCache;
}

/**
 * A block's files, held open, so that what is read stays the same when the directory is renamed or removed meanwhile. It is closed when its
 * last user has released it; who opened it is the first.
 */
export class Block {
  readonly context: BlockContext;
  readonly directory: string;
  readonly meta: BlockMeta;
  readonly index: IndexReader;
  readonly segments: ChunkSegments;
  readonly tombstones: Tombstones;
  #users = 1;

  /** Throws the disk's error, or BlockDamagedError; then nothing stays open. */
  static open(context: BlockContext, directory: string): Block {
    const { kernel, disk, cache } = context;
    const meta = readMeta(disk, directory);
    const tombstones = readTombstones(kernel, disk, `${directory}/tombstones`);
    const index = new IndexReader(kernel, disk, `${directory}/index`, cache);
    try {
      return new Block(context, directory, meta, tombstones, index, new ChunkSegments(disk, directory));
    } catch (error) {
      index.close();
      throw error;
    }
  }

  private constructor(
    context: BlockContext,
    directory: string,
    meta: BlockMeta,
    tombstones: Tombstones,
    index: IndexReader,
    segments: ChunkSegments,
  ) {
    this.context = context;
    this.directory = directory;
    this.meta = meta;
    this.tombstones = tombstones;
    this.index = index;
    this.segments = segments;
  }

  overlaps(minTimestampMs: number, maxTimestampMs: number): boolean {
    return this.meta.minTime <= maxTimestampMs && minTimestampMs < this.meta.maxTime;
  }

  retain(): this {
    this.#users++;
    return this;
  }

  release(): void {
    if (--this.#users > 0) return;
    this.index.close();
    this.segments.close();
  }
}

/** Bytes of a block's files: what size retention counts. */
export function blockSizeBytes(disk: Disk, directory: string): number {
  const files = ["index", "meta.json", "tombstones"].map((name) => `${directory}/${name}`);
  return [...files, ...listChunkSegments(disk, directory)].reduce(
    (bytes, path) => bytes + (disk.stat(path)?.sizeBytes ?? 0),
    0,
  );
}

/** Reads all of a block and checks every checksum and every chunk that can be decoded. Throws BlockDamagedError at the first fault. */
export function verifyBlock(block: Block): void {
  const { kernel } = block.context;
  const window = new ChunkWindow(kernel, block.segments);
  const scratch = kernel.createScratch();
  try {
    block.index.verify((entry) => {
      for (let i = 0; i < entry.chunkCount; i++) {
        window.find(entry.chunkRefs[i]!, entry.chunkRefs[entry.chunkCount - 1]!);
        window.verify();
        const { codec, encoding } = window;
        if (codec === undefined) return window.fail(`chunk encoding ${encoding} is unknown`);
        const mark = scratch.mark();
        const count = window.sampleCount;
        const timestamps = scratch.allocate(8 * count);
        const values = scratch.allocate(8 * count);
        window.decode({ timestamps, values, capacity: count });
        const { f64 } = kernel.views;
        const isAsIndexed =
          codec.decode === undefined ||
          (count > 0 &&
            f64[timestamps / 8] === entry.minTimesMs[i] &&
            f64[timestamps / 8 + count - 1] === entry.maxTimesMs[i]);
        if (!isAsIndexed) window.fail("the samples' times are not those of the index");
        scratch.release(mark);
      }
    }, new SeriesEntry());
  } finally {
    scratch.reset();
    window.close();
  }
}

/** Whether the error says that a file is not there. */
export function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException | undefined)?.code === "ENOENT";
}

/** Whether the error tells of the block's own state rather than of the machine's. */
export function isBlockFault(error: unknown): boolean {
  return error instanceof BlockDamagedError || isMissing(error);
}
