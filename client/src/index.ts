/** The instrumentation library's public face: metrics, the registry that holds them, and the text it exposes. */

export { Counter, type CounterChild } from "./counter.ts";
export type { Exemplar, LabelPair, MetricFamily, MetricType, Sample } from "./family.ts";
export { formatFloat, formatFloatCanonical } from "./format.ts";
export { Gauge, type GaugeChild } from "./gauge.ts";
export {
  DEFAULT_BUCKETS,
  exponentialBuckets,
  Histogram,
  type HistogramChild,
  type HistogramOptions,
  linearBuckets,
} from "./histogram.ts";
export { CHILDREN_MAX, type MetricOptions } from "./metric.ts";
export { isLabelName, isMetricName, MetricError } from "./name.ts";
export { contentTypeOf, type ExpositionFormat, negotiateFormat } from "./negotiate.ts";
export { encodeOpenMetrics } from "./openmetrics.ts";
export { startProcessMetrics } from "./process.ts";
export { type Collectable, type Collector, Registry } from "./registry.ts";
export { Summary, type SummaryChild, type SummaryOptions } from "./summary.ts";
export { encodeText } from "./text.ts";
