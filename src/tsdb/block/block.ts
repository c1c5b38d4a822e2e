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
  const window = new ChunkWindow(block.context.kernel, block.segments);
  try {
    block.index.verify((entry) => {
      for (let chunk = 0; chunk < entry.chunkCount; chunk++) verifyChunk(block, window, entry, chunk);
    }, new SeriesEntry());
  } finally {
    window.close();
  }
}

function verifyChunk(block: Block, window: ChunkWindow, entry: SeriesEntry, chunk: number): void {
  const { scratch, views } = block.context.kernel;
  window.find(entry.chunkRefs[chunk]!, entry.chunkRefs[entry.chunkCount - 1]!);
  window.verify();
  if (window.codec === undefined) window.fail(`chunk encoding ${window.encoding} is unknown`);
  const mark = scratch.mark();
  try {
    const capacity = window.sampleCount;
    const timestamps = scratch.allocate(8 * capacity);
    const values = scratch.allocate(8 * capacity);
    const count = window.decode({ timestamps, values, capacity });
    if (count === 0) return;
    const firstMs = views.f64[timestamps / 8]!;
    const lastMs = views.f64[timestamps / 8 + count - 1]!;
    if (firstMs !== entry.minTimesMs[chunk] || lastMs !== entry.maxTimesMs[chunk])
      window.fail("the samples' times are not those of the index");
  } finally {
    scratch.release(mark);
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
