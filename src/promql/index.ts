/** PromQL: the language, and the engine that answers it. */
export { type Annotation, annotationsMax } from "./annotations.ts";
export { exprToJson, type Json } from "./ast-json.ts";
export type * from "./ast.ts";
export { exprType } from "./checker.ts";
export { defaultLimits, type QueryContext, type QueryFeatures, type QueryLimits } from "./context.ts";
export {
  Engine,
  type EngineOptions,
  type ExecuteOptions,
  type Execution,
  type PartialResult,
  type QueryResult,
} from "./engine.ts";
export { functions } from "./functions.ts";
export { ByteWriter } from "./json/byte-writer.ts";
export { describeLanguage, type Language } from "./language.ts";
export { partialBuffers } from "./operator/partial.ts";
export { ParseError } from "./parse-error.ts";
export { parseExpr, parseMetricSelector, type ParserOptions, parseSeriesLabels } from "./parser.ts";
export type { Fragment, Plan } from "./plan/plan.ts";
export type { ExplainNode } from "./explain.ts";
export { prettyPrint, printExpr } from "./printer.ts";
export { parseSeriesSelector } from "./readers/answer.ts";
export type { ActiveQuery } from "./readers/active-queries.ts";
export type { InstantQuery, QueryOptions, RangeQuery, SeriesRange } from "./readers/query.ts";
export { QueryService, type QueryServiceOptions } from "./readers/service.ts";
export type { QueryOrigin } from "./readers/query-log.ts";
export type { QueryStats } from "./readers/stats.ts";
export { JsonSink } from "./result-json.ts";
export {
  type MatrixSeries,
  type QueryValue,
  type ResultSink,
  type VectorSample,
  ValueSink,
} from "./result.ts";
export { fuzzyAlgorithms, type SearchHit, type SearchOptions } from "./search/search.ts";
export {
  type DescribedHistogram,
  type DescribedValue,
  parseSeriesDescription,
  type SeriesDescription,
} from "./series-description.ts";
export { children, find, walk } from "./walk.ts";
