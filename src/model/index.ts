/** The nouns every step speaks: labels and matchers, durations, numbers, names, regular expressions. */
export { formatDuration, parseDuration } from "./duration.ts";
export { formatGoDuration, parseGoDuration } from "./go-duration.ts";
export * from "./histogram/index.ts";
export { fingerprint } from "./fingerprint.ts";
export { compareStrings, Labels, LabelsBuilder, metricNameLabel } from "./labels.ts";
export { Matcher, type MatchType } from "./matcher.ts";
export {
  isLabelName,
  isLegacyLabelName,
  isLegacyMetricName,
  isMetricName,
  type NameValidationScheme,
} from "./names.ts";
export { formatExponent, formatPlain, formatShortest, formatValue, parseNumber } from "./number.ts";
export { quoteGo, toGoJson } from "./quote.ts";
export { type Captures, expandTemplate, literalAlternatives, Regexp } from "./regexp.ts";
export { isStaleMarker, type MetricMetadata, type MetricType } from "./sample.ts";
