import type { Histogram, Labels, MetricMetadata } from "../model/index.ts";
import type { ParsedExemplar } from "./parser.ts";

/** What is said of a family of metrics; texts say it piece by piece. */
export interface FamilyEntry extends Partial<MetricMetadata> {
  readonly kind: "family";
  readonly name: string;
}

interface SampleEntry {
  /** Tells series apart: two entries with the same key have the same labels, and mostly the other way round. */
  readonly key: string;
  /** With `__name__`. May throw `bad_data`; who knows the key does not need them. */
  readonly labels: () => Labels;
  /** Milliseconds since the epoch; undefined means now. */
  readonly timestampMs: number | undefined;
  /** Since when it counts, in milliseconds since the epoch. */
  readonly startTimestampMs: number | undefined;
  readonly exemplars: readonly ParsedExemplar[];
}

export interface FloatEntry extends SampleEntry {
  readonly kind: "float";
  readonly value: number;
}

export interface HistogramEntry extends SampleEntry {
  readonly kind: "histogram";
  readonly histogram: Histogram;
  /** Its counts are doubles. */
  readonly isFloat: boolean;
}

/** One piece of a scraped body, whatever its format. */
export type ScrapedEntry = FamilyEntry | FloatEntry | HistogramEntry;

export interface EntryOptions {
  /** Read the classic buckets of native histograms only. */
  readonly ignoreNativeHistograms?: boolean;
  /** Read the classic buckets of native histograms as well. */
  readonly keepClassicHistograms?: boolean;
  /** Make native histograms with custom buckets of classic ones, beside them if those are kept and instead of them if not. */
  readonly convertClassicHistograms?: boolean;
  /** Tell since when samples count; OpenMetrics' `_created` series then are no series of their own. */
  readonly readStartTimestamps?: boolean;
}
