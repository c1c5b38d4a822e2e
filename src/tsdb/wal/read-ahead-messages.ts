import type { ErrorCode } from "../../base/index.ts";
import type { KernelHandle, SampleColumns } from "../../kernel/index.ts";
import type { SegmentEnd } from "./reader.ts";

/** What the thread that reads ahead starts with. */
export interface ReadAheadStart {
  readonly kernel: KernelHandle;
  /** The segments to read, one after the other. */
  readonly paths: readonly string[];
  /** Whether their series are wanted first. */
  readonly isSeriesFirst: boolean;
  /** Its words are below. */
  readonly words: Int32Array<SharedArrayBuffer>;
}

/** How the records shall come, from the main thread: all as they are, or, with `samples`, those gathered and without the series that came first. */
export interface ReadAheadOrder {
  readonly samples: SampleOrder | undefined;
}

/** How samples shall be gathered. */
export interface SampleOrder {
  readonly minTimeMs: number;
  readonly storedUntilMs: number;
  /** Refs of the log whose series has another ref in the head. */
  readonly aliases: ReadonlyMap<number, number>;
}

/** Counts the changes of the other words, for who waits for one. */
export const changes = 3;
/** How many of the loans were given back: they are in the order in which they were sent. */
export const loansReturned = 0;
/** 1 once the thread shall end. */
export const isStopped = 1;
/** 1 once the order was sent. */
export const isOrdered = 2;

/** Records of the segment `paths[segment]`, one behind the other at `ptr` in the shared memory, each as long as `lengths` says. A loan. */
export interface RecordBlock {
  readonly type: "records";
  readonly segment: number;
  readonly ptr: number;
  readonly lengths: Uint32Array;
}

/** Samples of many records, all that came before the message, in the order of their series unless these are too far apart. A loan. */
export interface GatheredSamples {
  readonly type: "samples";
  readonly columns: SampleColumns;
  readonly count: number;
  /** How many records they are from. */
  readonly records: number;
}

/** Thread that reads ahead to main thread. */
export type ReadAheadMessage =
  | RecordBlock
  | GatheredSamples
  | { readonly type: "seriesEnd" }
  | { readonly type: "segmentEnd"; readonly segment: number; readonly end: SegmentEnd }
  | { readonly type: "end" }
  | { readonly type: "failed"; readonly code: ErrorCode; readonly message: string };
