import { NarthexError } from "../../base/index.ts";
import type { Appendable, Appender } from "../../storage/index.ts";
import { AppendTotals } from "./append-counters.ts";
import { type AppendContext, HeadAppender } from "./appender.ts";
import type { CommitLog } from "./commit-log.ts";

/** What the appenders share from the start; `minValidTimeMs` is the bound that they begin with. */
export type HeadAppendableParts = Omit<AppendContext, "log" | "counters" | "isReplaying">;

/** Gives out the appenders of a head from the moment on that there is a log, and owns what these share. Main thread only. */
export class HeadAppendable implements Appendable {
  readonly totals = new AppendTotals();
  appendersCreated = 0;
  readonly #parts: HeadAppendableParts;
  /** Undefined while there are no appenders. */
  #context: AppendContext | undefined;
  #isClosed = false;
  readonly #opened = Promise.withResolvers<void>();

  constructor(parts: HeadAppendableParts) {
    this.#parts = parts;
  }

  /** Whether there are appenders. */
  get isOpen(): boolean {
    return this.#context !== undefined && !this.#isClosed;
  }

  /** Resolves when there are appenders for the first time. */
  get opened(): Promise<void> {
    return this.#opened.promise;
  }

  /** From now on there are appenders, which write to `log`. While the log is replayed their commits come into the head by the replay. */
  open(log: CommitLog, isReplaying: boolean): void {
    this.#context = { ...this.#parts, log, counters: this.totals, isReplaying };
    this.#opened.resolve();
  }

  /** The replay has read all that was committed: from now on commits go into the head. */
  caughtUp(): void {
    if (this.#context) this.#context.isReplaying = false;
  }

  /** The replay has failed: there are no more appenders. */
  abandon(): void {
    this.#context = undefined;
  }

  /** Throws `unavailable` unless the head has all that is in the log. */
  assertReady(): void {
    if (this.#context === undefined || this.#context.isReplaying)
      throw new NarthexError("unavailable", "storage is not ready: WAL is being replayed");
  }

  /** From now on samples before `timeMs` are refused. */
  refuseBefore(timeMs: number): void {
    const context = this.#context;
    if (context) context.minValidTimeMs = Math.max(context.minValidTimeMs, timeMs);
  }

  /** An appender for one scrape or request. Throws `unavailable` unless there are appenders. */
  appender(): Appender {
    if (this.#isClosed) throw new NarthexError("unavailable", "storage is closed");
    if (this.#context === undefined)
      throw new NarthexError("unavailable", "storage is not ready: WAL is being replayed");
    this.appendersCreated++;
    return new HeadAppender(this.#context);
  }

  /** There are no more appenders. Those that were given out stay as they are, until the log is closed. */
  close(): void {
    this.#isClosed = true;
  }
}
