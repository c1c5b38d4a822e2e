import type { MessagePort } from "node:worker_threads";
import type { ErrorCode } from "../../base/index.ts";
import type { KernelHandle } from "../../kernel/index.ts";
import type { Histogram } from "../../model/index.ts";
import type { QueryFeatures } from "../context.ts";
import type { PartialResult } from "../engine.ts";
import type { ParserOptions } from "../parser.ts";
import type { SearchOptions } from "../search/search.ts";
import type { QueryStats } from "./stats.ts";

/** Options of one evaluation, already clamped to the server's own limits. */
export interface EvaluationOptions {
  /** When the query must have ended, in milliseconds since the Unix epoch. */
  deadlineMs: number;
  lookbackDeltaMs: number;
  /** Most series in the answer; 0 means all. */
  limit: number;
  /** Whether the answer shall tell about its evaluation: "" no, "true" in sum, "all" for each step where that is enabled. */
  stats: "" | "true" | "all";
  /** Whether samples are counted exactly. */
  countSamples: boolean;
  /** Whether the answer shall tell how the plan was carried out. */
  explain: boolean;
  /** Whether the native histograms of a vector are wanted whole as well. */
  wholeHistograms: boolean;
  /** How long the query has waited for its turn. */
  queuedMs: number;
  /** Warnings of the request itself. */
  warnings: readonly string[];
}

/** A finished answer: the whole JSON envelope, and for a query what it took. */
export interface Answer {
  body: Uint8Array<ArrayBuffer>;
  stats?: QueryStats;
  /** Where they were wanted: the native histograms of a vector, in its order. JSON says less of them. */
  histograms?: readonly Histogram[];
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
  /** The query in upstream's layout, and its syntax tree. */
  | { kind: "format"; text: string }
  | { kind: "parse"; text: string }
  | { kind: "series"; selectors: string[]; startMs: number; endMs: number; limit: number }
  | { kind: "labelNames"; selectors: string[]; startMs: number; endMs: number; limit: number }
  | { kind: "labelValues"; name: string; selectors: string[]; startMs: number; endMs: number; limit: number }
  /** What a search finds among the values of a label, or among the names of labels: JSON of `SearchHit`s without an envelope. */
  | {
      kind: "search";
      name: string | undefined;
      selectors: string[];
      startMs: number;
      endMs: number;
      search: SearchOptions;
    };

/** A query to be evaluated. */
export type QueryRequest = Extract<ReaderRequest, { options: EvaluationOptions }>;

/** How many steps a query has, and how far apart. */
export interface QuerySteps {
  readonly count: number;
  readonly stepMs: number;
}

export function stepsOf(request: QueryRequest): QuerySteps {
  if (request.kind === "instant") return { count: 1, stepMs: 0 };
  const { startMs, endMs, stepMs } = request;
  return { count: Math.floor((endMs - startMs) / stepMs) + 1, stepMs };
}

/** What the threads of a request have in common. */
export interface Ticket {
  readonly cancelWord: number;
  /** The state of the storage that all see; absent when there is one thread, or too many are pinned. */
  readonly snapshot?: number | undefined;
}

/** Main thread to reader. */
export type ReaderOrder =
  /**
   * Answer the request; with `peers`, merge what those readers hand over for the same `id`. With `costMax`, decline it if it is estimated to
   * cost more.
   */
  | {
      type: "answer";
      id: number;
      ticket: Ticket;
      request: ReaderRequest;
      peers: number[];
      costMax?: number | undefined;
    }
  /** Evaluate one shard of the request's fragments and hand the parts to the reader that answers. */
  | {
      type: "assist";
      id: number;
      ticket: Ticket;
      request: ReaderRequest;
      shard: { index: number; count: number };
      answering: number;
    };

/** Reader to main thread. */
export type ReaderReport =
  | { type: "ready" }
  | { type: "answered"; id: number; answer: Answer }
  | { type: "failed"; id: number; failure: Failure }
  | { type: "declined"; id: number }
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
  /** `promql-per-step-stats`. */
  perStepStats: boolean;
}

/** Most queries that can run or wait at once: each has a word to cancel it by. */
export const cancelWordsMax = 1024;
/** Most reader threads. */
export const readersMax = 32;

const progressBytes = cancelWordsMax * 16;

/** How far a query is, over all its threads. */
export interface QueryProgress {
  /** Samples that were loaded. */
  samples: number;
  /** Shared memory in use. */
  memoryBytes: number;
}

/**
 * Words that all threads see. For each query that runs or waits: samples and bytes of memory (64 bits each), then cancel flags;
 * for each reader a counter of parts handed to it; the default step of subqueries in milliseconds.
 */
export class SharedWords {
  readonly buffer: SharedArrayBuffer;
  readonly #progress: BigInt64Array;
  readonly #words: Int32Array;

  constructor(buffer = new SharedArrayBuffer(progressBytes + (cancelWordsMax + readersMax + 1) * 4)) {
    this.buffer = buffer;
    this.#progress = new BigInt64Array(buffer, 0, cancelWordsMax * 2);
    this.#words = new Int32Array(buffer, progressBytes);
  }

  cancel(word: number): void {
    Atomics.store(this.#words, word, 1);
  }

  /** Makes a word ready for another query. */
  reset(word: number): void {
    Atomics.store(this.#words, word, 0);
    Atomics.store(this.#progress, word * 2, 0n);
    Atomics.store(this.#progress, word * 2 + 1, 0n);
  }

  isCancelled(word: number): boolean {
    return Atomics.load(this.#words, word) !== 0;
  }

  /** Adds to what a query has loaded and holds; `memoryBytes` may be negative. */
  addProgress(word: number, samples: number, memoryBytes: number): void {
    if (samples !== 0) Atomics.add(this.#progress, word * 2, BigInt(samples));
    if (memoryBytes !== 0) Atomics.add(this.#progress, word * 2 + 1, BigInt(memoryBytes));
  }

  progress(word: number): QueryProgress {
    return {
      samples: Number(Atomics.load(this.#progress, word * 2)),
      memoryBytes: Number(Atomics.load(this.#progress, word * 2 + 1)),
    };
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
