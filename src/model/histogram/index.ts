/** Native histograms: the value, its arithmetic, what is asked of it, and its texts. */
export {
  addHistograms,
  type HistogramCombination,
  divideHistogram,
  incompatibleSchemas,
  multiplyHistogram,
  negateHistogram,
  subtractHistograms,
} from "./arithmetic.ts";
export { assembleHistogram, countsFromDeltas, type SpannedHistogram } from "./assemble.ts";
export { exponentialBound, bucketUpperBound } from "./bounds.ts";
export {
  allBuckets,
  type Bucket,
  bucketAt,
  bucketCount,
  cumulativeBuckets,
  negativeBuckets,
  observationsAt,
  positiveBuckets,
  zeroBucket,
} from "./bucket.ts";
export { ClassicHistogram } from "./classic.ts";
export { CompensatedSum } from "./compensated-sum.ts";
export { detectCounterReset } from "./counter-reset.ts";
export { equalHistograms } from "./equality.ts";
export {
  type Buckets,
  type CounterReset,
  createHistogram,
  customBucketsSchema,
  exponentialSchemaMax,
  exponentialSchemaMin,
  hasCustomBuckets,
  type Histogram,
  histogramBytes,
  isExponentialSchema,
  isKnownSchema,
  isValidSchema,
  noBuckets,
  sameNumbers,
  staleHistogram,
  withCounterReset,
  withoutResets,
} from "./histogram.ts";
export { compactHistogram, reconcileZeroBuckets, reduceResolution } from "./layout.ts";
export { type NotedHistogram, parseHistogram } from "./notation.ts";
export { histogramFraction, histogramQuantile, type QuantileRemark } from "./quantile.ts";
export { indicesFromSpans, type Span, spansFromIndices } from "./spans.ts";
export { histogramAverage, histogramVariance } from "./statistics.ts";
export { type AggregationRemarks, type AggregationState, HistogramMean, HistogramSum } from "./sum.ts";
export {
  type BoundaryRule,
  boundaryRule,
  formatHistogram,
  formatIntegerHistogram,
  formatNotation,
  type HistogramJson,
} from "./text.ts";
export { trimHistogramAbove, trimHistogramBelow } from "./trim.ts";
export { invalidSchemaError, validateFloatHistogram, validateIntegerHistogram } from "./validate.ts";
