import { Worker } from "node:worker_threads";
import { NarthexError, threadFile, threadHeap } from "../../base/index.ts";
import type { Kernel } from "../../kernel/index.ts";
import {
  changes,
  isStopped,
  loansReturned,
  isOrdered,
  type ReadAheadMessage,
  type ReadAheadOrder,
  type ReadAheadStart,
  type SampleOrder,
} from "./read-ahead-messages.ts";
import type { Segment } from "./segment.ts";

/** Records stay in buffers outside of the heap. */
const semiSpaceMbMax = 1;

/** What comes next of a log. */
export type ReadAheadPart = Exclude<ReadAheadMessage, { type: "failed" | "end" }>;

/** A shorter log is read before a thread has begun, by default. */
export const readAheadBytesMinDefault = 8 * 1024 * 1024;

/**
 * Segments of a log that a thread of its own reads, from the system's disk and a few blocks ahead, as the main thread sees it: if they are wanted, the records of
 * series come first, and then everything once it is ordered. Owned by who made it, who must `close` it.
 */
export class SegmentReadAhead {
  readonly segments: readonly Segment[];
  readonly #worker: Worker;
  readonly #words = new Int32Array(new SharedArrayBuffer(16));
  readonly #ended: Promise<void>;
  readonly #messages: ReadAheadMessage[] = [];
  #error: Error | undefined;
  #wake: (() => void) | undefined;

  /** Throws `unavailable` when there is no room for another thread. */
  constructor(kernel: Kernel, segments: readonly Segment[], isSeriesFirst: boolean) {
    this.segments = segments;
    const handle = kernel.claimReader();
    const paths = segments.map(({ path }) => path);
    const start: ReadAheadStart = { kernel: handle, paths, isSeriesFirst, words: this.#words };
    this.#worker = new Worker(threadFile("read-ahead-worker", import.meta), {
      workerData: start,
      name: "read-ahead",
      resourceLimits: threadHeap(semiSpaceMbMax),
    });
    this.#worker.on("message", (message: ReadAheadMessage) => {
      this.#messages.push(message);
      this.#wake?.();
    });
    this.#worker.on("error", (error: Error) => this.#fail(error));
    this.#ended = new Promise((resolve) => {
      this.#worker.on("exit", () => {
        kernel.releaseReader(handle.readerSlot);
        this.#fail(new NarthexError("internal", "the thread that reads the WAL ended"));
        resolve();
      });
    });
  }

  /**
   * To be called once, when the series have come. With `samples`, the samples come gathered, and no records of those series: the head must have them all, with
   * their chunks that are in files, and keep them. Else all records come as they are.
   */
  order(samples?: SampleOrder): void {
    this.#worker.postMessage({ samples } satisfies ReadAheadOrder);
    this.#set(isOrdered, 1);
  }

  /** What comes next, undefined at the end. Records and samples must be given back. Rejects with the disk's error. */
  async next(): Promise<ReadAheadPart | undefined> {
    for (;;) {
      const message = this.#messages.shift();
      if (message?.type === "failed") throw new NarthexError(message.code, message.message);
      if (message !== undefined) return message.type === "end" ? undefined : message;
      if (this.#error) throw this.#error;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Gives back the oldest records or samples. */
  giveBack(): void {
    this.#set(loansReturned, this.#words[loansReturned]! + 1);
  }

  /** Ends the thread, wherever it is. */
  async close(): Promise<void> {
    this.#set(isStopped, 1);
    await this.#ended;
  }

  #set(word: number, value: number): void {
    Atomics.store(this.#words, word, value);
    Atomics.add(this.#words, changes, 1);
    Atomics.notify(this.#words, changes);
  }

  #fail(error: Error): void {
    this.#error ??= error;
    this.#wake?.();
  }
}
