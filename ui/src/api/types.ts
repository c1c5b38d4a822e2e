/** The answers of the HTTP API, as far as the pages read them. Times are RFC 3339 strings unless said otherwise. */
import type { Labels } from "../base/labels.ts";

/** Unix seconds and the value as text. */
export type Sample = [timeS: number, value: string];

/** A native histogram: each bucket is [boundary rule, lower, upper, count]. */
export interface Histogram {
  count: string;
  sum: string;
  buckets?: [rule: number, lower: string, upper: string, count: string][];
}

export type HistogramSample = [timeS: number, histogram: Histogram];

export interface InstantSeries {
  metric: Labels;
  value?: Sample;
  histogram?: HistogramSample;
}

export interface RangeSeries {
  metric: Labels;
  values?: Sample[];
  histograms?: HistogramSample[];
}

/** Examples of what a series counts. */
export interface SeriesExemplars {
  seriesLabels: Labels;
  exemplars: Exemplar[];
}

export interface Exemplar {
  labels: Labels;
  value: string;
  /** Seconds. */
  timestamp: number;
}

export type QueryData =
  | { resultType: "vector"; result: InstantSeries[] }
  | { resultType: "matrix"; result: RangeSeries[] }
  | { resultType: "scalar"; result: Sample }
  | { resultType: "string"; result: Sample };

export interface Target {
  discoveredLabels: Labels;
  labels: Labels;
  scrapePool: string;
  scrapeUrl: string;
  globalUrl: string;
  lastError: string;
  lastScrape: string;
  /** Seconds. */
  lastScrapeDuration: number;
  health: "up" | "down" | "unknown";
  scrapeInterval: string;
  scrapeTimeout: string;
}

export interface DroppedTarget {
  discoveredLabels: Labels;
  scrapePool?: string;
}

export interface TargetsData {
  activeTargets: Target[] | null;
  droppedTargets: DroppedTarget[] | null;
  droppedTargetCounts?: Record<string, number>;
}

export interface Alert {
  labels: Labels;
  annotations: Labels;
  state: "pending" | "firing";
  activeAt?: string;
  keepFiringSince?: string;
  value: string;
}

interface RuleBase {
  name: string;
  query: string;
  labels?: Labels;
  health: "ok" | "err" | "unknown";
  lastError?: string;
  /** Seconds. */
  evaluationTime: number;
  lastEvaluation: string;
}

export interface AlertingRule extends RuleBase {
  type: "alerting";
  /** Seconds. */
  duration: number;
  /** Seconds. */
  keepFiringFor?: number;
  annotations?: Labels;
  alerts: Alert[];
  state: "inactive" | "pending" | "firing" | "unknown";
}

export interface RecordingRule extends RuleBase {
  type: "recording";
}

export type Rule = AlertingRule | RecordingRule;

export interface RuleGroup {
  name: string;
  file: string;
  /** Seconds. */
  interval: number;
  limit?: number;
  /** Seconds. */
  evaluationTime: number;
  lastEvaluation: string;
  rules: Rule[];
}

export interface AlertmanagersData {
  activeAlertmanagers: { url: string }[] | null;
  droppedAlertmanagers: { url: string }[] | null;
}

interface NamedValue {
  name: string;
  value: number;
}

export interface TsdbData {
  headStats: {
    numSeries: number;
    numLabelPairs?: number;
    chunkCount: number;
    /** Milliseconds. */
    minTime: number;
    /** Milliseconds. */
    maxTime: number;
  };
  seriesCountByMetricName: NamedValue[] | null;
  labelValueCountByLabelName: NamedValue[] | null;
  memoryInBytesByLabelName: NamedValue[] | null;
  seriesCountByLabelValuePair: NamedValue[] | null;
}

export interface WalReplay {
  min: number;
  max: number;
  current: number;
}

export interface Notification {
  text: string;
  date: string;
  active: boolean;
}
