import type { Disk } from "../../base/index.ts";
import { formatByteSize } from "../../codec/index.ts";
import { blockSizeBytes } from "../block/block.ts";
import { listBlockUlids } from "../block/directory.ts";
import { type BlockMeta, readMeta } from "../block/meta.ts";
import { byTime } from "../block/plan.ts";
import { checkDataDirectory, formatMilliseconds, formatTable, formatUtcTime, type Output } from "./format.ts";

const header = [
  "BLOCK ULID",
  "MIN TIME",
  "MAX TIME",
  "DURATION",
  "NUM SAMPLES",
  "NUM CHUNKS",
  "NUM SERIES",
  "SIZE",
];

export interface ListOptions {
  /** Times as dates and sizes with units, instead of milliseconds and bytes. */
  readonly isHumanReadable: boolean;
}

/** Prints a table of a data directory's blocks in the order of their times. Throws `not_found`, the disk's error or BlockDamagedError. */
export function printBlockList(
  disk: Disk,
  dataDirectory: string,
  options: ListOptions,
  output: Output,
): void {
  checkDataDirectory(disk, dataDirectory);
  const metas = listBlockUlids(disk, dataDirectory).map((ulid) => readMeta(disk, `${dataDirectory}/${ulid}`));
  output(formatBlocks(disk, dataDirectory, metas.sort(byTime), options, true));
}

export function formatBlocks(
  disk: Disk,
  dataDirectory: string,
  metas: readonly BlockMeta[],
  { isHumanReadable }: ListOptions,
  withHeader: boolean,
): string {
  const time = isHumanReadable ? formatUtcTime : String;
  const size = isHumanReadable ? formatByteSize : String;
  const rows = metas.map(({ ulid, minTime, maxTime, stats }) => [
    ulid,
    time(minTime),
    time(maxTime),
    formatMilliseconds(maxTime - minTime),
    String(stats.numSamples),
    String(stats.numChunks),
    String(stats.numSeries),
    size(blockSizeBytes(disk, `${dataDirectory}/${ulid}`)),
  ]);
  return formatTable(withHeader ? [header, ...rows] : rows);
}
