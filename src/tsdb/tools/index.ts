export { benchmarkWrite, type WriteBenchmark } from "./bench-write.ts";
/** Tools for data directories, as functions over a disk and an output. */
export { type AnalyzeOptions, printBlockAnalysis } from "./analyze.ts";
export {
  compatibleBlockRangeMs,
  createBlocksFromOpenMetrics,
  type OpenMetricsImport,
} from "./create-from-openmetrics.ts";
export { type DumpFormat, type DumpOptions, dumpSamples } from "./dump.ts";
export type { Output } from "./format.ts";
export { type ListOptions, printBlockList } from "./list.ts";
