import type { ErrorCode } from "../../base/index.ts";
import type { KernelHandle } from "../../kernel/index.ts";
import type { SegmentEnd } from "./reader.ts";

/** What the thread that reads ahead starts with. */
export interface ReadAheadStart {
  readonly kernel: KernelHandle;
  /** The segments to read, one after the other. */
  readonly paths: readonly string[];
  /** Two words: how many blocks were given back, and 1 once the thread shall end. */
  readonly flow: Int32Array<SharedArrayBuffer>;
}

export const blocksReturned = 0;
export const isStopped = 1;

/** Records of the segment `paths[segment]`, one behind the other at `ptr` in the shared memory, each as long as `lengths` says. To be given back. */
export interface RecordBlock {
  readonly type: "records";
  readonly segment: number;
  readonly ptr: number;
  readonly lengths: Uint32Array;
}

/** Thread that reads ahead to main thread. */
export type ReadAheadMessage =
  | RecordBlock
  | { readonly type: "segmentEnd"; readonly segment: number; readonly end: SegmentEnd }
  | { readonly type: "end" }
  | { readonly type: "failed"; readonly code: ErrorCode; readonly message: string };
