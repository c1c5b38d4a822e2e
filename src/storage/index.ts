/** What stands between those who write or ask and those who store. */
export type {
  Appendable,
  Appender,
  AppendResult,
  Exemplar,
  ExemplarFate,
  ExemplarQueryable,
  ExemplarSeries,
  HistogramKind,
  HistogramNeed,
  HistogramSample,
  Querier,
  Queryable,
  SampleColumns,
  SelectHints,
  SeriesRef,
  SeriesSet,
  StartTimestamps,
  StoredHistogram,
  SymbolView,
} from "./storage.ts";
export { MergeQuerier } from "./merge.ts";
export { mergeHistograms } from "./merge-histograms.ts";
export { mergeRuns, putRun, type SampleRun } from "./merge-columns.ts";
export { emptyAppendResult, noHistograms, noStarts } from "./storage.ts";
