import type { Disk } from "../../base/index.ts";

/** Upstream's write-ahead log: a directory of numbered segments, each a row of pages, each page a row of record fragments. */
export const pageBytes = 32_768;
/** Before each fragment: u8 type and compression, u16 length, u32 CRC-32C of the fragment's data; big-endian. */
export const fragmentHeaderBytes = 7;
export const fragment = { pagePadding: 0, full: 1, first: 2, middle: 3, last: 4 } as const;
export const fragmentTypeMask = 7;
export const snappyBit = 8;
export const zstdBit = 16;
export const segmentBytesDefault = 128 * 1024 * 1024;
export const segmentBytesMin = 10 * 1024 * 1024;
export const segmentBytesMax = 256 * 1024 * 1024;

export interface Segment {
  readonly index: number;
  readonly path: string;
  readonly sizeBytes: number;
}

export function segmentName(index: number): string {
  return String(index).padStart(8, "0");
}

/** The segments of a directory in order; none when it does not exist. */
export function listSegments(disk: Disk, directory: string): Segment[] {
  if (disk.stat(directory) === undefined) return [];
  const segments: Segment[] = [];
  for (const name of disk.list(directory)) {
    if (!/^\d{8,}$/.test(name)) continue;
    const path = `${directory}/${name}`;
    const stat = disk.stat(path);
    if (stat && !stat.isDirectory) segments.push({ index: Number(name), path, sizeBytes: stat.sizeBytes });
  }
  return segments.sort((a, b) => a.index - b.index);
}

export interface Checkpoint {
  /** The last segment whose records it stands for. */
  readonly index: number;
  readonly path: string;
}

/** Checkpoints of a WAL directory, oldest first. */
export function listCheckpoints(disk: Disk, directory: string): Checkpoint[] {
  if (disk.stat(directory) === undefined) return [];
  return disk
    .list(directory)
    .filter((name) => /^checkpoint\.\d+$/.test(name))
    .map((name) => ({ index: Number(name.slice("checkpoint.".length)), path: `${directory}/${name}` }))
    .filter(({ path }) => disk.stat(path)?.isDirectory === true)
    .sort((a, b) => a.index - b.index);
}

/** Of a log, the newest checkpoint's segments and those after it that come before `before`. */
export function finishedSegments(
  disk: Disk,
  directory: string,
  before: number,
): { checkpointed: Segment[]; finished: Segment[] } {
  const checkpoint = listCheckpoints(disk, directory).at(-1);
  const after = checkpoint?.index ?? -1;
  const finished = listSegments(disk, directory).filter(({ index }) => index > after && index < before);
  return { checkpointed: checkpoint ? listSegments(disk, checkpoint.path) : [], finished };
}
