import { NarthexError } from "../base/index.ts";
import type { HistogramLimits } from "./histogram-limits.ts";
import type { SampleLabelRules } from "./sample-labels.ts";

/** What decides which samples of a body are stored. */
export interface ReadRules extends SampleLabelRules, HistogramLimits {
  readonly honorTimestamps: boolean;
  readonly trackTimestampsStaleness: boolean;
  /** Samples after relabelling; 0 = no limit. */
  readonly sampleLimit: number;
  /** Whether it is told since when samples count. */
  readonly readsStarts: boolean;
}

/** What a scrape had; of a rejected one as far as it was read. */
export interface ReadCounts {
  scraped: number;
  /** After metric relabelling. */
  added: number;
  /** Series that the scrape before did not have. */
  seriesAdded: number;
  /** New series that the storage had no room for. */
  seriesRefused: number;
  /** Exemplars that came after newer ones of their series. */
  exemplarsOutOfOrder: number;
}

export function noCounts(): ReadCounts {
  return { scraped: 0, added: 0, seriesAdded: 0, seriesRefused: 0, exemplarsOutOfOrder: 0 };
}

/** More samples than `sample_limit`. */
export class SampleLimitError extends NarthexError {
  constructor() {
    super("bad_data", "sample limit exceeded");
  }
}
