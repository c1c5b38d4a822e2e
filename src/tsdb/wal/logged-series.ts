import { type Disk, NarthexError } from "../../base/index.ts";
import type { Head } from "../head/head.ts";
import { SegmentReader } from "./reader.ts";
import { recordType } from "./record.ts";
import { RefNumbering } from "./ref-numbering.ts";
import { listCheckpoints, listSegments, type Segment } from "./segment.ts";
import { readSeriesRecord } from "./series-record.ts";

/** Series that were created from a log before its samples are read. */
export interface LoggedSeries {
  readonly numbering: RefNumbering;
  readonly count: number;
}

export interface LoggedSeriesOptions {
  readonly head: Head;
  readonly disk: Disk;
  /** The WAL directory. */
  readonly directory: string;
  /** The first segment of the writer, which is not read. */
  readonly firstSegment: number;
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

/**
 * Creates the series of a log in an empty head, under the refs that they have there, as far as these can be kept. Who appends to them before their samples are
 * read then uses the same refs, and their chunks in files stay theirs. Takes about a third of a second for 100,000 series in 150 MB of log. What is damaged is left to the
 * replay, which reads everything again. Throws the disk's errors.
 */
export function createLoggedSeries({
  head,
  disk,
  directory,
  firstSegment,
}: LoggedSeriesOptions): LoggedSeries {
  const numbering = new RefNumbering(head, true);
  const { checkpointed, finished } = finishedSegments(disk, directory, firstSegment);
  const before = head.seriesCount;
  try {
    for (const { path } of [...checkpointed, ...finished]) createSeriesOf(head, disk, path, numbering);
  } catch (error) {
    // The memory is full: the replay finds that as well, and says so.
    if (!(error instanceof NarthexError && error.code === "unavailable")) throw error;
  }
  return { numbering, count: head.seriesCount - before };
}

function createSeriesOf(head: Head, disk: Disk, path: string, numbering: RefNumbering): void {
  const reader = new SegmentReader(head.kernel, disk, path, { onlyType: recordType.series });
  const options = { creates: true, isEach: () => false };
  try {
    for (let record = reader.next(); record !== undefined; record = reader.next()) {
      if (record[0] !== recordType.series) continue;
      try {
        readSeriesRecord(head, record, options, ({ logRef, ref }) => {
          if (ref === 0 && numbering.keeps(logRef)) head.create(logRef);
        });
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
      }
    }
  } finally {
    reader.close();
  }
}
