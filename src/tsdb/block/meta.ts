import type { Disk } from "../../base/index.ts";
import { BlockDamagedError } from "./damage.ts";
import { isUlid } from "./ulid.ts";

const metaName = "meta.json";
const metaVersion = 1;
/** Metadata are held in memory; a larger file is taken for damage. */
const metaBytesMax = 16 * 1024 * 1024;

export interface BlockStats {
  numSamples: number;
  numFloatSamples: number;
  numHistogramSamples: number;
  numSeries: number;
  numChunks: number;
  numTombstones: number;
}

/** A block that another one was made of. */
export interface BlockParent {
  ulid: string;
  minTime: number;
  maxTime: number;
}

export interface BlockCompaction {
  level: number;
  /** The level 1 blocks whose samples this one holds. */
  sources: string[];
  /** Nothing was left of the block when it was compacted. */
  deletable?: boolean;
  parents?: BlockParent[];
  /** A compaction of the block failed; it is left alone. */
  failed?: boolean;
  /** Where the samples came from: `from-out-of-order`, `from-stale-series`, `from-selected-series`. */
  hints?: string[];
}

/** What `meta.json` says, in its own words. Times are milliseconds; `maxTime` is exclusive. */
export interface BlockMeta {
  ulid: string;
  minTime: number;
  maxTime: number;
  stats: BlockStats;
  compaction: BlockCompaction;
  version: number;
}

/** Reads a block's `meta.json`. What it says beyond our knowledge is kept. Throws the disk's error or BlockDamagedError. */
export function readMeta(disk: Disk, directory: string): BlockMeta {
  const path = `${directory}/${metaName}`;
  const sizeBytes = disk.stat(path)?.sizeBytes ?? 0;
  if (sizeBytes > metaBytesMax)
    throw new BlockDamagedError(path, 0, `${sizeBytes} bytes, at most ${metaBytesMax} are read`);
  return parseMeta(path, Buffer.from(disk.readFile(path)).toString());
}

export function parseMeta(path: string, text: string): BlockMeta {
  const fail = (reason: string): never => {
    throw new BlockDamagedError(path, 0, reason);
  };
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    fail("this is not JSON");
  }
  if (!isRecord(parsed)) return fail("an object was expected");
  const { ulid, minTime, maxTime, version, stats = {}, compaction = {} } = parsed;
  if (version !== metaVersion) fail(`version ${String(version)} is unknown, ${metaVersion} was expected`);
  if (typeof ulid !== "string" || !isUlid(ulid)) fail("ulid is no ULID");
  if (!Number.isSafeInteger(minTime) || !Number.isSafeInteger(maxTime))
    fail("minTime and maxTime must be integers");
  if (!isRecord(stats) || !isRecord(compaction)) return fail("stats and compaction must be objects");
  const { level = 1, sources = [], parents = [], hints = [] } = compaction;
  if (!Number.isSafeInteger(level)) fail("compaction.level must be an integer");
  if (!isListOf(sources, isString)) fail("compaction.sources must be a list of ULIDs");
  if (!isListOf(parents, isParent)) fail("compaction.parents must be a list of blocks");
  if (!isListOf(hints, isString)) fail("compaction.hints must be a list of names");
  const count = (name: string): number => (Number.isSafeInteger(stats[name]) ? (stats[name] as number) : 0);
  return {
    ...parsed,
    stats: {
      numSamples: count("numSamples"),
      numFloatSamples: count("numFloatSamples"),
      numHistogramSamples: count("numHistogramSamples"),
      numSeries: count("numSeries"),
      numChunks: count("numChunks"),
      numTombstones: count("numTombstones"),
    },
    compaction: { ...compaction, level, sources },
  } as unknown as BlockMeta;
}

/** Replaces a block's `meta.json` as a whole. Throws the disk's error. */
export function writeMeta(disk: Disk, directory: string, meta: BlockMeta): void {
  disk.writeFileAtomic(`${directory}/${metaName}`, encodeMeta(meta));
}

/** As upstream prints it: counts of 0 and empty lists are left out. */
export function encodeMeta(meta: BlockMeta): string {
  const stats = Object.fromEntries(Object.entries(meta.stats).filter(([, count]) => count !== 0));
  const compaction = Object.fromEntries(
    Object.entries(meta.compaction).filter(
      ([, value]) => value !== false && !(Array.isArray(value) && value.length === 0),
    ),
  );
  return JSON.stringify({ ...meta, stats, compaction }, undefined, "\t");
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isListOf(value: unknown, isItem: (item: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(isItem);
}

function isString(value: unknown): boolean {
  return typeof value === "string";
}

function isParent(value: unknown): boolean {
  return (
    isRecord(value) &&
    isString(value["ulid"]) &&
    Number.isSafeInteger(value["minTime"]) &&
    Number.isSafeInteger(value["maxTime"])
  );
}
