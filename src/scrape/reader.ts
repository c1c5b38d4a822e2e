import { NarthexError } from "../base/index.ts";
import {
  createParser,
  ExpositionError,
  type ParsedExemplar,
  parseExemplar,
  parseSeriesLine,
  type TextFormat,
} from "../exposition/index.ts";
import {
  type ByteBuffer,
  type Kernel,
  lineComment,
  lineDropped,
  lineEvent,
  type LineTable,
  normalNaNBits,
} from "../kernel/index.ts";
import { type Labels, type MetricMetadata, metricNameLabel, type MetricType } from "../model/index.ts";
import type { Appender, AppendResult } from "../storage/index.ts";
import { noCounts, type ReadRules, SampleLimitError } from "./reading.ts";
import { sampleLabels } from "./sample-labels.ts";
import type { Target } from "./target.ts";

const noRefs = new Uint32Array(0);
const nothing = Buffer.alloc(0);
/** A target whose new series were refused is tried again so often. */
const retryRefusedMs = 60_000;
const newline = 0x0a;

/**
 * Reads the bodies of one target into the storage. Lines that were there before cost a compare in the kernel; only new ones
 * reach this code. Owns the target's line table.
 */
export class TargetReader {
  readonly #target: Target;
  readonly #table: LineTable;
  #rules: ReadRules;
  readonly #onFlush: () => void;
  /** Series whose lines were forgotten on purpose; those that the next scrape lacks have vanished. */
  #carried: Uint32Array = noRefs;
  #relearn = false;
  /** Metric families of which this scrape told first. */
  readonly #newFamilies = new Set<string>();
  #refusedAtMs: number | undefined;
  counts = noCounts();
  /** The body that is being read, and its format. */
  #bytes: Buffer = nothing;
  #format: TextFormat = "text";

  constructor(target: Target, kernel: Kernel, rules: ReadRules, onFlush: () => void) {
    this.#onFlush = onFlush;
    this.#target = target;
    this.#table = kernel.createLineTable();
    this.#rules = rules;
  }

  /** Rules that lead to other labels make every line be looked at anew. */
  setRules(rules: ReadRules): void {
    this.#rules = rules;
    this.#relearn = true;
  }

  /**
   * Queues the samples of `body`, and stale markers for what is no longer in it; the caller commits. A body with more samples than a batch has is
   * committed in parts, which are seen together, each handed to `committed`. Throws `bad_data` when the text or a limit is violated; then the
   * caller rolls back and calls `fail`.
   */
  read(
    body: ByteBuffer,
    format: TextFormat,
    appender: Appender,
    timestampMs: number,
    committed: (result: AppendResult) => void,
  ): void {
    this.#prepare(timestampMs);
    const view = body.view();
    this.#bytes = Buffer.from(view.buffer, view.byteOffset, view.byteLength);
    this.#format = format;
    const { batch } = appender;
    const table = this.#table;
    const { honorTimestamps, trackTimestampsStaleness, sampleLimit } = this.#rules;
    const { keepsExemplars: reportExemplars } = appender;
    table.begin({
      body,
      batch,
      timestampMs,
      format,
      honorTimestamps,
      trackTimestampsStaleness,
      reportExemplars,
    });
    let earlier = 0;
    const seen = this.#carried.length > 0 ? new Set<number>() : undefined;
    const note = (): void => {
      if (seen) for (let i = 0; i < batch.count; i++) seen.add(batch.refs[i]!);
    };
    const flush = (): void => {
      note();
      earlier += batch.count;
      committed(appender.commitPart());
    };
    for (let event = table.resume(); event !== lineEvent.done; event = table.resume()) {
      this.counts.scraped = table.samplesScraped;
      this.counts.added = earlier + batch.count;
      if (sampleLimit > 0 && this.counts.added > sampleLimit) this.#exceed();
      switch (event) {
        case lineEvent.unknownSeries:
          this.#learnSeries(appender, timestampMs);
          break;
        case lineEvent.unknownComment:
          this.#learnComment(appender.keepsMetadata);
          break;
        case lineEvent.complexLine:
          if (batch.count === batch.capacity) flush();
          this.#readComplex(appender, timestampMs);
          break;
        case lineEvent.batchFull:
          flush();
          break;
        case lineEvent.exemplar:
          this.#readExemplar(appender);
          break;
        case lineEvent.syntaxError:
          throw (
            this.#explain() ?? new NarthexError("bad_data", `unreadable text at byte ${table.eventStart}`)
          );
      }
    }
    this.counts.scraped = table.samplesScraped;
    this.counts.added = earlier + batch.count;
    if (sampleLimit > 0 && this.counts.added > sampleLimit) this.#exceed();
    note();
    for (const ref of table.finish()) appender.appendStale(ref, timestampMs);
    for (const ref of this.#carried) if (!seen!.has(ref)) appender.appendStale(ref, timestampMs);
    this.#carried = noRefs;
  }

  /** Forgets every line, and returns the refs of the last good scrape. */
  forget(): number[] {
    const refs = [...this.#table.fail(), ...this.#carried];
    this.#carried = noRefs;
    return refs;
  }

  /** Series of the last good scrape, which another reader read. */
  carry(refs: readonly number[]): void {
    this.#carried = Uint32Array.from(refs);
  }

  /** Samples were out of bounds: their series may be removed by the storage, so that no line may rely on its ref. */
  distrustRefs(): void {
    this.#relearn = true;
  }

  close(): void {
    this.#table.close();
  }

  #prepare(timestampMs: number): void {
    this.counts = noCounts();
    this.#newFamilies.clear();
    const retry = this.#refusedAtMs !== undefined && timestampMs - this.#refusedAtMs >= retryRefusedMs;
    if (this.#target.metadata.isFull) {
      this.#target.metadata.clear();
      this.#onFlush();
    } else if (!this.#relearn && !retry) return;
    this.#relearn = false;
    this.#refusedAtMs = undefined;
    this.#carried = Uint32Array.from(this.forget());
  }

  #learnSeries(appender: Appender, timestampMs: number): void {
    const exposed = this.#parseLabels();
    const labels = sampleLabels(exposed, this.#target.labels, this.#rules);
    const ref = labels && this.#reference(labels, appender, timestampMs);
    this.#table.addEntry(ref ?? lineDropped);
    if (ref === undefined) return;
    this.counts.seriesAdded++;
    const name = exposed.get(metricNameLabel);
    // What a target says of a metric does not hold for what relabelling makes of it.
    if (!appender.keepsMetadata || labels!.get(metricNameLabel) !== name) return;
    const family = this.#target.metadata.familyOf(name);
    if (family) appender.appendMetadata(ref, family);
  }

  /** The labels of the line at hand; the form of its bounds depends on the type that was declared for it, maybe scrapes ago. */
  #parseLabels(): Labels {
    const start = this.#table.eventStart;
    const found = this.#bytes.indexOf(newline, this.#table.eventEnd);
    const end = found < 0 ? this.#bytes.length : found;
    const parse = (options?: { type: MetricType }): Labels => {
      const line = parseSeriesLine(this.#bytes, start, end, this.#format, options);
      if (!line) throw new NarthexError("bad_data", `unreadable text at byte ${start}`);
      return line.labels;
    };
    return this.#guard(() => {
      const labels = parse();
      if (!labels.has("le") && !labels.has("quantile")) return labels;
      const family = this.#target.metadata.familyOf(labels.get(metricNameLabel));
      return family ? parse({ type: family.type }) : labels;
    });
  }

  /** The series' ref, or undefined when the storage has no room: the others must go on. */
  #reference(labels: Labels, appender: Appender, timestampMs: number): number | undefined {
    try {
      return appender.reference(labels);
    } catch (error) {
      if (!(error instanceof NarthexError) || error.code !== "unavailable") throw error;
      this.counts.seriesRefused++;
      this.#refusedAtMs ??= timestampMs;
      return undefined;
    }
  }

  #learnComment(keepsMetadata: boolean): void {
    const { eventStart: start, eventEnd: end } = this.#table;
    const parser = createParser(this.#bytes, this.#format, { start, end, singleLine: true });
    const kind = this.#guard(() => parser.next());
    const family = parser.metricName();
    if (kind === "type") this.#describe(family, { type: parser.type }, keepsMetadata);
    else if (kind === "help") this.#describe(family, { help: parser.text() }, keepsMetadata);
    else if (kind === "unit") this.#describe(family, { unit: parser.text() }, keepsMetadata);
    this.#table.addEntry(lineComment);
  }

  #describe(family: string, part: Partial<MetricMetadata>, keepsMetadata: boolean): void {
    const { metadata } = this.#target;
    const before = metadata.get(family);
    metadata.set(family, part);
    if (before === undefined) this.#newFamilies.add(family);
    else if (keepsMetadata && !this.#newFamilies.has(family)) {
      const { type, help, unit } = { ...before, ...part };
      // The lines of its series are known and would not pass by here.
      if (type !== before.type || help !== before.help || unit !== before.unit) this.#relearn = true;
    }
  }

  #readComplex(appender: Appender, timestampMs: number): void {
    const table = this.#table;
    const { eventStart, eventEnd, eventRef } = table;
    const line = this.#guard(() => parseSeriesLine(this.#bytes, eventStart, eventEnd, this.#format));
    if (!line || eventRef === lineDropped) return;
    const ownMs = this.#rules.honorTimestamps ? line.timestampMs : undefined;
    if (ownMs !== undefined && !this.#rules.trackTimestampsStaleness) table.excludeFromStaleness();
    const timeMs = ownMs ?? timestampMs;
    if (Number.isNaN(line.value)) appender.batch.pushBits(eventRef, timeMs, normalNaNBits);
    else appender.batch.push(eventRef, timeMs, line.value);
    if (line.exemplar) this.#takeExemplar(line.exemplar, eventRef, timeMs, appender);
  }

  /** What stands behind the sample that was read last. */
  #readExemplar(appender: Appender): void {
    const { eventStart, eventEnd, eventRef } = this.#table;
    const { batch } = appender;
    const exemplar = parseExemplar(this.#bytes, eventStart, eventEnd);
    this.#takeExemplar(exemplar, eventRef, batch.timestamps[batch.count - 1]!, appender);
  }

  #takeExemplar(exemplar: ParsedExemplar, ref: number, sampleMs: number, appender: Appender): void {
    const { labels, value, timestampMs } = exemplar;
    const hasOwnTimestamp = timestampMs !== undefined;
    const fate = appender.appendExemplar(ref, {
      labels,
      value,
      timestampMs: timestampMs ?? sampleMs,
      hasOwnTimestamp,
    });
    if (fate === "outOfOrder") this.counts.exemplarsOutOfOrder++;
  }

  /** Counts what is left for the report, and rejects the scrape. */
  #exceed(): never {
    const parser = createParser(this.#bytes, this.#format);
    const relabels = this.#rules.metricRelabelConfigs.length > 0;
    let scraped = 0;
    let added = 0;
    this.#guard(() => {
      for (let kind = parser.next(); kind !== "end"; kind = parser.next()) {
        if (kind !== "series") continue;
        scraped++;
        if (!relabels || sampleLabels(parser.labels(), this.#target.labels, this.#rules)) added++;
      }
    });
    this.counts = { ...noCounts(), scraped, added };
    throw new SampleLimitError();
  }

  /** Runs `read` on a part of the body; a fault in it is told with its line and column in the whole. */
  #guard<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      throw error instanceof ExpositionError ? (this.#explain() ?? error) : error;
    }
  }

  /** The first fault of the body, found by reading it all with the reference parser. */
  #explain(): unknown {
    const parser = createParser(this.#bytes, this.#format);
    try {
      for (let kind = parser.next(); kind !== "end"; kind = parser.next())
        if (kind === "series") parser.labels();
      return undefined;
    } catch (error) {
      return error;
    }
  }
}
