import { Block, type BlockContext, isBlockFault, isMissing } from "./block.ts";
import { BlockDamagedError, type BlockNotices } from "./damage.ts";
import { listBlockUlids } from "./directory.ts";
import { type BlockMeta, readMeta } from "./meta.ts";
import { byTime } from "./plan.ts";
import { supersededBlocks } from "./retention.ts";

/** How often a list is read again when blocks vanish while it is used. */
const attemptsMax = 5;

interface Entry {
  readonly directory: string;
  readonly meta: BlockMeta;
  /** Changes when the block's tombstones or metadata do. */
  readonly stamp: string;
  /** Open since it was first needed. */
  block?: Block;
  isDamaged: boolean;
}

/**
 * The blocks of a data directory as one thread reads them. It follows what another thread does there by a version that grows with
 * every change. A block is opened when it is first needed, and closed when it has left the directory and its last querier is gone. Its
 * owner must `close` it.
 */
export class BlockList {
  readonly #context: BlockContext;
  readonly #dataDirectory: string;
  readonly #notices: BlockNotices;
  readonly #version: () => number;
  #seenVersion: number | undefined;
  #entries = new Map<string, Entry>();
  /** Those to be read, in the order of their times. */
  #current: Entry[] = [];
  #untilMs = -Infinity;
  /** How often the directory was read, and could not be. */
  reloads = 0;
  reloadsFailed = 0;

  constructor(context: BlockContext, dataDirectory: string, notices: BlockNotices, version: () => number) {
    this.#context = context;
    this.#dataDirectory = dataDirectory;
    this.#notices = notices;
    this.#version = version;
  }

  /** What the blocks to be read say of themselves, in the order of their times. Throws the disk's error. */
  metas(): BlockMeta[] {
    this.#refresh();
    return this.#current.map(({ meta }) => meta);
  }

  /** The time after the last of any block; -Infinity when there is none. Throws the disk's error. */
  untilMs(): number {
    this.#refresh();
    return this.#untilMs;
  }

  /**
   * The blocks with samples from `minTimestampMs` to `maxTimestampMs`, in the order of their times; who keeps one must retain it. A damaged one is
   * noticed and left out. Throws the disk's error.
   */
  overlapping(minTimestampMs: number, maxTimestampMs: number): Block[] {
    this.#refresh();
    for (let attempt = 1; ; attempt++) {
      try {
        return this.#openOverlapping(minTimestampMs, maxTimestampMs);
      } catch (error) {
        // A block was replaced since the list was read: what replaced it is there now.
        if (!isMissing(error) || attempt === attemptsMax) throw error;
        this.#read();
      }
    }
  }

  close(): void {
    for (const { block } of this.#entries.values()) block?.release();
    this.#entries.clear();
    this.#current = [];
  }

  #openOverlapping(minTimestampMs: number, maxTimestampMs: number): Block[] {
    const blocks: Block[] = [];
    // Damage to a block brings back the ones it was made of.
    for (let i = 0; i < this.#current.length; i++) {
      const entry = this.#current[i]!;
      const { minTime, maxTime } = entry.meta;
      if (minTime > maxTimestampMs || maxTime <= minTimestampMs) continue;
      const block = this.#open(entry);
      if (block === undefined) return this.#openOverlapping(minTimestampMs, maxTimestampMs);
      blocks.push(block);
    }
    return blocks;
  }

  /** Undefined when the block is damaged; it is then no longer in the list. */
  #open(entry: Entry): Block | undefined {
    try {
      return (entry.block ??= Block.open(this.#context, entry.directory));
    } catch (error) {
      const isGone = this.#context.disk.stat(entry.directory) === undefined;
      if (!isBlockFault(error) || isGone) throw error;
      this.#notices.damaged(asDamage(error, entry.directory));
      entry.isDamaged = true;
      this.#choose();
      return undefined;
    }
  }

  #refresh(): void {
    if (this.#version() !== this.#seenVersion) this.#read();
  }

  #read(): void {
    this.reloads++;
    try {
      this.#readDirectory();
    } catch (error) {
      this.reloadsFailed++;
      // The next one who asks tries again.
      this.#seenVersion = undefined;
      throw error;
    }
  }

  #readDirectory(): void {
    const { disk } = this.#context;
    // Taken before the directory is read: a change meanwhile makes us read again.
    this.#seenVersion = this.#version();
    const entries = new Map<string, Entry>();
    if (disk.stat(this.#dataDirectory) !== undefined) {
      for (const ulid of listBlockUlids(disk, this.#dataDirectory)) {
        const entry = this.#entry(ulid);
        if (entry !== undefined) entries.set(ulid, entry);
      }
    }
    for (const [ulid, entry] of this.#entries) if (entries.get(ulid) !== entry) entry.block?.release();
    this.#entries = entries;
    this.#choose();
  }

  /** The entry that is known already, when nothing has changed; undefined when the block cannot be read. */
  #entry(ulid: string): Entry | undefined {
    const { disk } = this.#context;
    const directory = `${this.#dataDirectory}/${ulid}`;
    const stamp = ["meta.json", "tombstones"]
      .map((name) => disk.stat(`${directory}/${name}`))
      .map((stat) => (stat ? `${stat.modifiedMs}/${stat.sizeBytes}` : "-"))
      .join(" ");
    const known = this.#entries.get(ulid);
    if (known?.stamp === stamp) return known;
    try {
      return { directory, meta: readMeta(disk, directory), stamp, isDamaged: false };
    } catch (error) {
      if (!isBlockFault(error)) throw error;
      if (disk.stat(directory) !== undefined) this.#notices.damaged(asDamage(error, directory));
      return undefined;
    }
  }

  #choose(): void {
    const sound = [...this.#entries.values()].filter(({ isDamaged }) => !isDamaged);
    const superseded = new Set(supersededBlocks(sound.map(({ meta }) => meta)));
    this.#current = sound
      .filter(({ meta }) => !superseded.has(meta.ulid))
      .sort((a, b) => byTime(a.meta, b.meta));
    this.#untilMs = Math.max(-Infinity, ...this.#current.map(({ meta }) => meta.maxTime));
  }
}

/** A file that is missing from a block is damage to the block. */
function asDamage(error: unknown, directory: string): BlockDamagedError {
  return error instanceof BlockDamagedError ? error : new BlockDamagedError(directory, 0, String(error));
}
