export interface Query {
  name: string;
  expr: string;
  /** Measured in every run; the others with `--queries all`. */
  isUsual?: boolean;
  /** Asks native histograms: VictoriaMetrics has none, and Prometheus interpolates otherwise since its version 3. */
  isNative?: boolean;
}

// Windows of subqueries do not begin at one of their steps, which would count before Prometheus 3 and since then does not.

/** Asked for the last minute of scraped data, in steps of one second. */
export const headQueries: readonly Query[] = [
  { name: "sum of rates", expr: "sum(rate(http_requests_total[1m]))", isUsual: true },
  {
    name: "quantile over buckets",
    expr: "histogram_quantile(0.99, sum by (le, service) (rate(http_request_duration_seconds_bucket[1m])))",
    isUsual: true,
  },
  { name: "count everything", expr: 'count({__name__=~".+"})', isUsual: true },
  {
    name: "division, large answer",
    expr: "rate(http_requests_total[1m]) / rate(http_requests_total[30s])",
    isUsual: true,
  },
  { name: "large answer of rates", expr: "rate(http_requests_total[1m])" },
  { name: "many groups", expr: "sum by (instance, service, method) (rate(http_requests_total[1m]))" },
  { name: "subquery", expr: "sum(max_over_time(rate(http_requests_total[30s])[30s500ms:5s]))" },
  {
    name: "join",
    expr: "sum by (service, job) (rate(http_requests_total[1m]) * on (instance) group_left (job) up)",
  },
  { name: "quantile over time", expr: "avg(quantile_over_time(0.9, queue_temperature_celsius[1m]))" },
  { name: "quantile of series", expr: "quantile by (service) (0.9, http_requests_total)" },
  { name: "topk", expr: "topk(10, rate(http_requests_total[1m]))" },
  {
    name: "regex selectors",
    expr: 'sum(rate(http_requests_total{handler=~"/api/v1/.*[1-5]$",service!~"api|auth",instance=~".+:.+[0-4]"}[1m]))',
  },
  { name: "raw samples, large answer", expr: "queue_temperature_celsius" },
];

/** Asked for the last day of the stored data, by the minute. */
export const blockQueries: readonly Query[] = [
  { name: "sum of rates", expr: 'sum(rate(http_requests_total{job="stored"}[5m]))' },
  {
    name: "quantile over buckets",
    expr: 'histogram_quantile(0.99, sum by (le, service) (rate(http_request_duration_seconds_bucket{job="stored"}[5m])))',
  },
  { name: "rate over six hours", expr: 'sum(rate(http_requests_total{job="stored"}[6h]))' },
  { name: "rate over a day", expr: 'sum(rate(http_requests_total{job="stored"}[1d]))' },
  {
    name: "quantile over native histograms",
    expr: 'histogram_quantile(0.99, sum by (service) (rate(http_request_native_seconds{job="stored"}[5m])))',
    isNative: true,
  },
  {
    name: "sum of native histograms",
    expr: 'sum(http_request_native_seconds{job="stored"})',
    isNative: true,
  },
  {
    name: "count of native histograms",
    expr: 'count(http_request_native_seconds{job="stored"})',
    isNative: true,
  },
  {
    name: "native histograms, large answer",
    expr: 'rate(http_request_native_seconds{job="stored",service="s0"}[5m])',
    isNative: true,
  },
  { name: "count", expr: 'count({job="stored"})' },
  {
    name: "regex selectors",
    expr: 'sum(rate(http_requests_total{job="stored",handler=~".*[1-5]$",service!~"api|auth"}[5m]))',
  },
  { name: "subquery", expr: 'sum(max_over_time(rate(http_requests_total{job="stored"}[5m])[10m30s:2m]))' },
  {
    name: "join",
    expr: 'sum by (service, job) (rate(http_requests_total{job="stored"}[5m]) * on (instance) group_left (job) up{job="stored"})',
  },
  {
    name: "quantile over time",
    expr: 'avg(quantile_over_time(0.9, queue_temperature_celsius{job="stored"}[1h]))',
  },
  { name: "topk", expr: 'topk(10, rate(http_requests_total{job="stored"}[5m]))' },
  { name: "raw samples, large answer", expr: 'queue_temperature_celsius{job="stored"}' },
];

/** As a dashboard of single values sends them. */
export const instantQuery = 'http_requests_total{instance="127.0.0.1:21007",handler="/api/v1/resource/7"}';
