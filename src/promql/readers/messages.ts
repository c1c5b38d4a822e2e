import type { MessagePort } from "node:worker_threads";
import type { ErrorCode } from "../../base/index.ts";
import type { KernelHandle } from "../../kernel/index.ts";
import type { QueryFeatures } from "../context.ts";
import type { PartialResult } from "../engine.ts";
import type { ParserOptions } from "../parser.ts";

/** Options of one evaluation, already clamped to the server's own limits. */
export interface EvaluationOptions {
  /** When the query must have ended, in milliseconds since the Unix epoch. */
  deadlineMs: number;
  lookbackDeltaMs: number;
  /** Most series in the answer; 0 means all. */
  limit: number;
  /** Whether the answer shall tell about its evaluation. */
  stats: boolean;
}

/** What a reader is asked; times in milliseconds. */
export type ReaderRequest =
  | { kind: "instant"; text: string; timestampMs: number; options: EvaluationOptions }
  | {
      kind: "range";
      text: string;
      startMs: number;
      endMs: number;
      stepMs: number;
      options: EvaluationOptions;
    }
  | { kind: "series"; selectors: string[]; startMs: number; endMs: number; limit: number }
  | { kind: "labelNames"; selectors: string[]; startMs: number; endMs: number; limit: number }
  | { kind: "labelValues"; name: string; selectors: string[]; startMs: number; endMs: number; limit: number };

/** Main thread to reader. */
export type ReaderOrder =
  /** Answer the request; with `peers`, merge what those readers hand over for the same `id`. */
  | { type: "answer"; id: number; cancelWord: number; request: ReaderRequest; peers: number[] }
  /** Evaluate one shard of the request's fragments and hand the parts to the reader that answers. */
  | {
      type: "assist";
      id: number;
      cancelWord: number;
      request: ReaderRequest;
      shard: { index: number; count: number };
      answering: number;
    };

/** Reader to main thread. */
export type ReaderReport =
  | { type: "ready" }
  | { type: "answered"; id: number; body: Uint8Array<ArrayBuffer> }
  | { type: "failed"; id: number; failure: Failure }
  /** The parts of an `assist` were handed over, or it failed, which the answering reader was told. */
  | { type: "assisted"; id: number };

/** Reader to reader: the parts of one shard, in the order of the plan's fragments. */
export type ReaderParts = { id: number; parts: PartialResult[] } | { id: number; failure: Failure };

/** An error on its way between threads. */
export interface Failure {
  code: ErrorCode;
  message: string;
}

/** What a reader thread starts with. */
export interface ReaderStart {
  kernel: KernelHandle;
  /** Index among the readers, from 0. */
  index: number;
  /** To each other reader; the own place is empty. */
  ports: (MessagePort | undefined)[];
  /** `SharedWords`: cancel flags of running queries and arrival counters of readers. */
  words: SharedArrayBuffer;
  settings: ReaderSettings;
}

export interface ReaderSettings {
  parser: ParserOptions;
  features: QueryFeatures;
  samplesMax: number;
  /** Shared memory that one query may use on one thread. */
  memoryBytesMax: number;
}

/** Most queries that can run or wait at once: each has a word to cancel it by. */
export const cancelWordsMax = 1024;
/** Most reader threads. */
export const readersMax = 32;

/**
 * Words that all threads see: `cancelWordsMax` cancel flags, then for each reader a counter of parts handed to it, then the
 * default step of subqueries in milliseconds.
 */
export class SharedWords {
  readonly buffer: SharedArrayBuffer;
  readonly #words: Int32Array;

  constructor(buffer = new SharedArrayBuffer((cancelWordsMax + readersMax + 1) * 4)) {
    this.buffer = buffer;
    this.#words = new Int32Array(buffer);
  }

  cancel(word: number): void {
    Atomics.store(this.#words, word, 1);
  }

  resetCancel(word: number): void {
    Atomics.store(this.#words, word, 0);
  }

  isCancelled(word: number): boolean {
    return Atomics.load(this.#words, word) !== 0;
  }

  arrivals(reader: number): number {
    return Atomics.load(this.#words, cancelWordsMax + reader);
  }

  noteArrival(reader: number): void {
    Atomics.add(this.#words, cancelWordsMax + reader, 1);
    Atomics.notify(this.#words, cancelWordsMax + reader);
  }

  /** Blocks until the counter differs from `seen`, or for `timeoutMs`. Never called on the main thread. */
  waitForArrival(reader: number, seen: number, timeoutMs: number): void {
    Atomics.wait(this.#words, cancelWordsMax + reader, seen, timeoutMs);
  }

  get defaultStepMs(): number {
    return Atomics.load(this.#words, cancelWordsMax + readersMax);
  }

  set defaultStepMs(stepMs: number) {
    Atomics.store(this.#words, cancelWordsMax + readersMax, stepMs);
  }
}
