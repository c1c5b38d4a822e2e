import type { BodyFormat } from "../exposition/index.ts";
import type { ByteBuffer, Kernel } from "../kernel/index.ts";
import type { Appender, AppendResult } from "../storage/index.ts";
import { EntryReader } from "./entry-reader.ts";
import { TargetReader } from "./reader.ts";
import { noCounts, type ReadCounts, type ReadRules } from "./reading.ts";
import type { Target } from "./target.ts";

/** Reads the bodies of one target, each with the reader for its format; what one of them knows, the other takes over. */
export class BodyReader {
  readonly #target: Target;
  #rules: ReadRules;
  readonly #lines: TargetReader;
  readonly #entries: EntryReader;
  /** Who has read last. */
  #reader: TargetReader | EntryReader;

  /** `onFlush` is called when what the target said of its metrics is forgotten because it was too much. */
  constructor(target: Target, kernel: Kernel, rules: ReadRules, onFlush: () => void = () => {}) {
    this.#target = target;
    this.#rules = rules;
    this.#lines = new TargetReader(target, kernel, rules, onFlush);
    this.#entries = new EntryReader(target, rules, onFlush);
    this.#reader = this.#lines;
  }

  /** Of the last scrape, as far as it was read. */
  get counts(): ReadCounts {
    return this.#reader.counts;
  }

  setRules(rules: ReadRules): void {
    this.#rules = rules;
    this.#lines.setRules(rules);
    this.#entries.setRules(rules);
  }

  /**
   * Queues the samples of `body`, and stale markers for what is no longer in it; the caller commits. A text with more samples than a batch has is
   * committed in parts, which are seen together, each handed to `committed`. Throws `bad_data` when the body or a limit is violated; then the
   * caller rolls back and calls `fail`.
   */
  read(
    body: ByteBuffer,
    format: BodyFormat,
    appender: Appender,
    timestampMs: number,
    committed: (result: AppendResult) => void,
  ): void {
    const { readsStarts } = this.#rules;
    const isByEntry = format === "protobuf" || (format === "openmetrics" && readsStarts);
    if (isByEntry || this.#target.histograms.convertsClassic) {
      this.#changeTo(this.#entries);
      this.#entries.read(body, format, appender, timestampMs);
    } else {
      this.#changeTo(this.#lines);
      this.#lines.read(body, format, appender, timestampMs, committed);
    }
  }

  /** There was no body to read. */
  resetCounts(): void {
    this.#reader.counts = noCounts();
  }

  /** Queues a stale marker for every series of the last good scrape. */
  fail(appender: Appender, timestampMs: number): void {
    for (const ref of this.#reader.forget()) appender.appendStale(ref, timestampMs);
  }

  /** Samples were out of bounds: their series may be removed by the storage, so that nothing may rely on a ref. */
  distrustRefs(): void {
    this.#reader.distrustRefs();
  }

  close(): void {
    this.#lines.close();
  }

  #changeTo(next: TargetReader | EntryReader): void {
    if (next === this.#reader) return;
    next.carry(this.#reader.forget());
    this.#reader = next;
  }
}
