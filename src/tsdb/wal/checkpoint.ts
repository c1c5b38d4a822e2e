import type { Disk } from "../../base/index.ts";
import type { ExemplarStorage } from "../exemplar/exemplar-storage.ts";
import { setAside } from "../set-aside.ts";
import { type CheckpointOptions, CheckpointWriter } from "./checkpoint-writer.ts";
import { writeHeadRecords } from "./head-records.ts";
import { SegmentReader } from "./reader.ts";
import { RecordFilter } from "./record-filter.ts";
import { listCheckpoints, listSegments, type Segment } from "./segment.ts";
import type { WalWriter } from "./writer.ts";

/**
 * Shortens the WAL: what is still needed of the lower two thirds of its finished segments (series that exist, samples from `minTimeMs` on)
 * goes into a checkpoint, then the segments are deleted. Works in slices while the writer appends to a later segment. Returns how
 * many checkpoints the new one replaced. Throws the disk's errors; then the old files are all there.
 */
export async function truncateWal(
  options: CheckpointOptions,
  writer: WalWriter,
  minTimeMs: number,
): Promise<number> {
  const { disk, directory } = options;
  const before = listCheckpoints(disk, directory).at(-1);
  const segments = listSegments(disk, directory).filter(
    ({ index }) => index < writer.segment && index > (before?.index ?? -1),
  );
  const doomed = segments.slice(0, Math.floor((segments.length * 2) / 3));
  const last = doomed.at(-1);
  if (last === undefined) return 0;
  const covered = [...(before ? listSegments(disk, before.path) : []), ...doomed];
  const damagedPaths = await writeCheckpoint(options, last.index, (checkpoint) =>
    filterSegments(options, covered, minTimeMs, checkpoint),
  );
  for (const path of damagedPaths) setAside(disk, path, options.setAsideDirectory);
  const { paths, checkpoints } = listCovered(disk, directory);
  for (const path of paths) await disk.removeLater(path);
  return checkpoints;
}

/**
 * Writes a checkpoint of the whole head in place of all segments there are: after the refs in the head were chosen anew. To be called
 * before a writer opens. Throws the disk's errors; then the old files are all there.
 */
export async function rewriteWal(options: CheckpointOptions, exemplars: ExemplarStorage): Promise<void> {
  const { head, disk, directory, setAsideDirectory } = options;
  const segments = listSegments(disk, directory);
  const before = listCheckpoints(disk, directory).at(-1);
  const last = Math.max(segments.at(-1)?.index ?? -1, (before?.index ?? -1) + 1);
  await writeCheckpoint(options, last, (checkpoint) => writeHeadRecords(head, exemplars, checkpoint));
  // There may be records in them that were not understood.
  for (const { path } of segments) setAside(disk, path, setAsideDirectory);
  if (before) setAside(disk, before.path, setAsideDirectory);
  removeCovered(disk, directory);
}

/** Removes what the newest checkpoint stands for, and checkpoints that were never finished, at a start. */
export function removeCovered(disk: Disk, directory: string): void {
  for (const path of listCovered(disk, directory).paths) disk.remove(path);
}

/** What the newest checkpoint stands for, and checkpoints that were never finished; how many of them are older checkpoints. */
function listCovered(disk: Disk, directory: string): { paths: string[]; checkpoints: number } {
  if (disk.stat(directory) === undefined) return { paths: [], checkpoints: 0 };
  const unfinished = disk.list(directory).filter((name) => /^checkpoint\.\d+\.tmp$/.test(name));
  const paths = unfinished.map((name) => `${directory}/${name}`);
  const checkpoints = listCheckpoints(disk, directory);
  const newest = checkpoints.pop();
  if (newest === undefined) return { paths, checkpoints: 0 };
  const segments = listSegments(disk, directory).filter(({ index }) => index <= newest.index);
  // What a power cut brings back is removed the next time.
  for (const { path } of [...segments, ...checkpoints]) paths.push(path);
  return { paths, checkpoints: checkpoints.length };
}

/** Makes the checkpoint that stands for all segments up to `index`, as a whole or not at all. */
async function writeCheckpoint<T>(
  options: CheckpointOptions,
  index: number,
  write: (checkpoint: CheckpointWriter) => Promise<T>,
): Promise<T> {
  const checkpoint = new CheckpointWriter(options, index);
  try {
    const result = await write(checkpoint);
    await checkpoint.finish();
    return result;
  } catch (error) {
    await checkpoint.abandon();
    throw error;
  }
}

/** Copies what is still needed from segments. Returns the paths of those that hold more than could be read. */
async function filterSegments(
  { head, disk }: CheckpointOptions,
  segments: readonly Segment[],
  minTimeMs: number,
  checkpoint: CheckpointWriter,
): Promise<string[]> {
  const filter = new RecordFilter(head, minTimeMs, checkpoint);
  const damagedPaths: string[] = [];
  try {
    for (const { path } of segments) {
      const reader = new SegmentReader(head.kernel, disk, path);
      try {
        for (let record = reader.next(); record !== undefined; record = reader.next()) {
          filter.filter(record);
          checkpoint.flush();
          await checkpoint.breathe();
        }
        if (reader.damages.length > 0 || reader.tail) damagedPaths.push(path);
      } finally {
        reader.close();
      }
    }
    checkpoint.addMetadata(filter.metadata);
    return damagedPaths;
  } finally {
    filter.close();
  }
}
