import { NarthexError } from "../base/index.ts";
import {
  type BodyFormat,
  decodeEntries,
  type FamilyEntry,
  type FloatEntry,
  type HistogramEntry,
} from "../exposition/index.ts";
import type { ByteBuffer } from "../kernel/index.ts";
import { type Labels, metricNameLabel } from "../model/index.ts";
import type { Appender, Exemplar } from "../storage/index.ts";
import { BucketLimitError, limitBuckets } from "./histogram-limits.ts";
import { noCounts, type ReadRules, SampleLimitError } from "./reading.ts";
import { sampleLabels } from "./sample-labels.ts";
import type { Target } from "./target.ts";

/** A series as the target exposes it; without a ref where relabelling drops it. */
interface KnownSeries {
  readonly ref: number | undefined;
  /** The scrape that had it last. */
  scrape: number;
}

/**
 * Reads the bodies of one target that are not text, or that are converted on the way, into the storage: entry by entry, each of which costs
 * more than a known line of a text.
 */
export class EntryReader {
  readonly #target: Target;
  #rules: ReadRules;
  readonly #onFlush: () => void;
  /** By the key of their entries. */
  readonly #known = new Map<string, KnownSeries>();
  #scrape = 0;
  /** Series that the last good scrape had, and that end when they do not come again. */
  #tracked: ReadonlySet<number> = new Set();
  /** Of the scrape that is being read: the series, and those of them that are to be tracked. */
  #present = new Set<number>();
  #nextTracked = new Set<number>();
  #isExceeded = false;
  #bucketError: BucketLimitError | undefined;
  counts = noCounts();

  constructor(target: Target, rules: ReadRules, onFlush: () => void) {
    this.#onFlush = onFlush;
    this.#target = target;
    this.#rules = rules;
  }

  /** Rules that lead to other labels make every series be looked at anew. */
  setRules(rules: ReadRules): void {
    this.#rules = rules;
    this.distrustRefs();
  }

  /** As of `TargetReader`. A body is read whole before anything of it is committed. */
  read(body: ByteBuffer, format: BodyFormat, appender: Appender, timestampMs: number): void {
    this.counts = noCounts();
    this.#isExceeded = false;
    this.#bucketError = undefined;
    this.#scrape++;
    this.#present = new Set();
    this.#nextTracked = new Set();
    if (this.#target.metadata.isFull) {
      this.#target.metadata.clear();
      this.#onFlush();
    }
    const { scrapesNative, keepsClassic, convertsClassic } = this.#target.histograms;
    const options = {
      ignoreNativeHistograms: !scrapesNative,
      keepClassicHistograms: keepsClassic,
      convertClassicHistograms: convertsClassic,
      readStartTimestamps: this.#rules.readsStarts,
    };
    for (const entry of decodeEntries(body.copy(), format, options)) {
      if (entry.kind === "family") this.#describe(entry);
      else this.#readSample(entry, appender, timestampMs);
    }
    if (this.#isExceeded) throw new SampleLimitError();
    if (this.#bucketError !== undefined) throw this.#bucketError;
    this.#endVanished(appender, timestampMs);
  }

  /** Forgets every series, and returns those of the last good scrape. */
  forget(): number[] {
    const refs = [...this.#tracked];
    this.#known.clear();
    this.#tracked = new Set();
    return refs;
  }

  /** Series of the last good scrape, which another reader read. */
  carry(refs: readonly number[]): void {
    this.#tracked = new Set(refs);
  }

  distrustRefs(): void {
    this.#known.clear();
  }

  #describe({ name, type, help, unit }: FamilyEntry): void {
    this.#target.metadata.set(name, {
      ...(type !== undefined && { type }),
      ...(help !== undefined && { help }),
      ...(unit !== undefined && { unit }),
    });
  }

  #readSample(entry: FloatEntry | HistogramEntry, appender: Appender, timestampMs: number): void {
    const { sampleLimit, honorTimestamps, trackTimestampsStaleness } = this.#rules;
    this.counts.scraped++;
    const ref = this.#ref(entry, appender);
    if (ref === undefined) return;
    this.counts.added++;
    this.#isExceeded ||= sampleLimit > 0 && this.counts.added > sampleLimit;
    if (this.#isExceeded) return;
    const ownMs = honorTimestamps ? entry.timestampMs : undefined;
    this.#present.add(ref);
    if (ownMs === undefined || trackTimestampsStaleness) this.#nextTracked.add(ref);
    const timeMs = ownMs ?? timestampMs;
    const startMs = this.#rules.readsStarts ? entry.startTimestampMs : undefined;
    if (entry.kind === "float") appender.append(ref, timeMs, entry.value, startMs);
    else this.#appendHistogram(ref, timeMs, startMs, entry, appender);
    this.#appendExemplars(ref, timeMs, entry, appender);
  }

  #appendHistogram(
    ref: number,
    timeMs: number,
    startMs: number | undefined,
    { histogram, isFloat }: HistogramEntry,
    appender: Appender,
  ): void {
    try {
      const limited = limitBuckets(histogram, this.#rules);
      appender.appendHistogram(ref, timeMs, limited, isFloat ? "float" : "integer", startMs);
    } catch (error) {
      // What is left is still counted, for the report.
      if (!(error instanceof BucketLimitError)) throw error;
      this.#bucketError ??= error;
    }
  }

  #appendExemplars(
    ref: number,
    sampleMs: number,
    { exemplars, kind }: FloatEntry | HistogramEntry,
    appender: Appender,
  ): void {
    if (!appender.keepsExemplars) return;
    const timed = exemplars.map(({ labels, value, timestampMs }) => ({
      labels,
      value,
      timestampMs: timestampMs ?? sampleMs,
      hasOwnTimestamp: timestampMs !== undefined,
    }));
    const told = timed
      // Several exemplars of a histogram cannot be told apart without a time.
      .filter(({ hasOwnTimestamp }) => kind === "float" || hasOwnTimestamp)
      .sort(compareExemplars);
    const late = told.filter((exemplar) => appender.appendExemplar(ref, exemplar) === "outOfOrder").length;
    // If only some are late they are those of the scrape before, beside new ones.
    if (late === told.length) this.counts.exemplarsOutOfOrder += late;
  }

  /** The series with these labels of the target; undefined when it is dropped, or the storage has no room for it. */
  #ref({ key, labels: readLabels }: FloatEntry | HistogramEntry, appender: Appender): number | undefined {
    const known = this.#known.get(key);
    if (known !== undefined) {
      known.scrape = this.#scrape;
      return known.ref;
    }
    const exposed = readLabels();
    const labels = sampleLabels(exposed, this.#target.labels, this.#rules);
    let ref: number | undefined;
    try {
      ref = labels && appender.reference(labels);
    } catch (error) {
      if (!(error instanceof NarthexError) || error.code !== "unavailable") throw error;
      this.counts.seriesRefused++;
      return undefined;
    }
    this.#known.set(key, { ref, scrape: this.#scrape });
    if (ref === undefined) return undefined;
    this.counts.seriesAdded++;
    this.#appendMetadata(ref, exposed, labels!, appender);
    return ref;
  }

  #appendMetadata(ref: number, exposed: Labels, labels: Labels, appender: Appender): void {
    const name = exposed.get(metricNameLabel);
    // What a target says of a metric does not hold for what relabelling makes of it.
    if (!appender.keepsMetadata || labels.get(metricNameLabel) !== name) return;
    const family = this.#target.metadata.familyOf(name);
    if (family) appender.appendMetadata(ref, family);
  }

  #endVanished(appender: Appender, timestampMs: number): void {
    for (const [key, { scrape }] of this.#known) if (scrape !== this.#scrape) this.#known.delete(key);
    for (const ref of this.#tracked) if (!this.#present.has(ref)) appender.appendStale(ref, timestampMs);
    this.#tracked = this.#nextTracked;
  }
}

function compareExemplars(a: Exemplar, b: Exemplar): number {
  return a.timestampMs - b.timestampMs || a.value - b.value || a.labels.compare(b.labels);
}
