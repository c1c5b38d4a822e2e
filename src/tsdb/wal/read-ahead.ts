import { Worker } from "node:worker_threads";
import { NarthexError, threadFile } from "../../base/index.ts";
import type { Kernel } from "../../kernel/index.ts";
import {
  blocksReturned,
  isStopped,
  type ReadAheadMessage,
  type ReadAheadStart,
} from "./read-ahead-messages.ts";

/** What comes next of a log: a block of records, or the end of a segment. */
export type ReadAheadPart = Exclude<ReadAheadMessage, { type: "failed" | "end" }>;

/**
 * Segments of a log that a thread of its own reads, from the system's disk and a few blocks ahead, as the main thread sees it. Owned by who made it, who must
 * `close` it.
 */
export class SegmentReadAhead {
  readonly #worker: Worker;
  readonly #flow = new Int32Array(new SharedArrayBuffer(8));
  readonly #ended: Promise<void>;
  readonly #messages: ReadAheadMessage[] = [];
  #error: Error | undefined;
  #wake: (() => void) | undefined;

  /** Throws `unavailable` when there is no room for another thread. */
  constructor(kernel: Kernel, paths: readonly string[]) {
    const handle = kernel.claimReader();
    const start: ReadAheadStart = { kernel: handle, paths, flow: this.#flow };
    this.#worker = new Worker(threadFile("read-ahead-worker", import.meta), {
      workerData: start,
      name: "read-ahead",
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

  /** What comes next, undefined at the end. Blocks must be given back. Rejects with the disk's error. */
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

  /** Gives the oldest block back. */
  giveBack(): void {
    Atomics.add(this.#flow, blocksReturned, 1);
    Atomics.notify(this.#flow, blocksReturned);
  }

  /** Ends the thread, wherever it is. */
  async close(): Promise<void> {
    Atomics.store(this.#flow, isStopped, 1);
    Atomics.notify(this.#flow, blocksReturned);
    await this.#ended;
  }

  #fail(error: Error): void {
    this.#error ??= error;
    this.#wake?.();
  }
}
