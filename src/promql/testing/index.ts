/** Upstream's language for testing queries: scripts, series notation, comparison of results. Needs no engine of ours. */
export { conformanceDirectory, conformanceFiles } from "./conformance-files.ts";
export { MemoryStorage } from "./memory-storage.ts";
export { almostEqual, type Answer, type AnswerSeries, type AnswerValue } from "./expectation.ts";
export { type CaseResult, runScript, type Subject } from "./run.ts";
export { type Command, type EvalCommand, type LoadCommand, parseScript } from "./script.ts";
export { appendSeries, type SeriesSample, TestHead, type TestSeries } from "./test-head.ts";
export {
  type DescribedHistogram,
  type DescribedValue,
  parseSeriesDescription,
  type SeriesDescription,
} from "../series-description.ts";
