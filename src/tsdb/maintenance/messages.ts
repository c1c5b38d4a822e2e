import type { ErrorCode, LogFields, LogLevel } from "../../base/index.ts";
import type { KernelHandle } from "../../kernel/index.ts";
import type { MatchType } from "../../model/index.ts";
import type { CompactionResult, RetentionLimits } from "../block/maintenance.ts";
import type { BlockMeta } from "../block/meta.ts";
import type { WrittenChunks } from "../block/written-chunks.ts";

/** What the thread starts with. */
export interface MaintenanceStart {
  readonly kernel: KernelHandle;
  /** The data directory. */
  readonly directory: string;
  readonly cacheBytesMax: number;
}

/** A matcher on its way between threads. */
export interface MatcherParts {
  readonly type: MatchType;
  readonly name: string;
  readonly value: string;
}

/** What the thread can be asked, and what it answers. Times are milliseconds. */
export interface MaintenanceCalls {
  /** Removes leftovers, sets damaged blocks aside. */
  recover(): { blocks: BlockMeta[]; setAside: string[] };
  /** Writes a block of what the head has, of all series or of some, from `minTime` until before `maxTime`; undefined when it has nothing. */
  cut(
    minTime: number,
    maxTime: number,
    hints: readonly string[],
    refs: Uint32Array | undefined,
  ): BlockMeta | undefined;
  /** Compacts until nothing is left to do. */
  compact(ranges: readonly number[]): CompactionResult;
  /** Deletes what is beyond the limits; returns how many blocks. */
  applyRetention(limits: RetentionLimits): number;
  /** Marks samples of blocks as deleted; returns how many series were hit, summed over the blocks. */
  deleteSeries(matchers: readonly MatcherParts[], minTimestampMs: number, maxTimestampMs: number): number;
  /** Makes the snapshot `name` of the blocks and, with a range, of what the head has from its start until before its end. */
  snapshot(name: string, headRange: readonly [minTime: number, maxTime: number] | undefined): void;
  /** Rewrites blocks without what was deleted. */
  cleanTombstones(): CompactionResult;
}

export type MaintenanceCallName = keyof MaintenanceCalls;

/** Main thread to maintenance thread. */
export interface MaintenanceOrder {
  readonly id: number;
  readonly name: MaintenanceCallName;
  readonly arguments: readonly unknown[];
}

/** Maintenance thread to main thread. */
export type MaintenanceReport =
  | { readonly type: "done"; readonly id: number; readonly result: unknown }
  | { readonly type: "chunks"; readonly chunks: WrittenChunks }
  | { readonly type: "failed"; readonly id: number; readonly code: ErrorCode; readonly message: string }
  | { readonly type: "log"; readonly level: LogLevel; readonly message: string; readonly fields: LogFields };
