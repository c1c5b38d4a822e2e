/** One series of a target: its value moves with time; counters grow, gauges swing. */
export interface TargetSeries {
  name: string;
  labels: Record<string, string>;
  /** Comes before the first series of its metric. */
  comment?: string;
  readonly valueAt: (second: number) => number;
}

const bucketBounds = ["0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10", "+Inf"];
const services = ["api", "auth", "billing", "cart", "checkout", "feed", "mail", "media", "search", "users"];
const methods = ["GET", "POST", "PUT"];
const codes = ["200", "404", "500"];

/** Of each 1,000 series about 102 are request counters, 840 belong to histograms, the rest are gauges. */
export function targetSeries(target: number, count: number): TargetSeries[] {
  const all: TargetSeries[] = [];
  const counters = Math.round(count * 0.102);
  const histograms = Math.round((count * 0.84) / (bucketBounds.length + 2));
  const gauges = count - counters - histograms * (bucketBounds.length + 2);
  for (let i = 0; i < counters; i++) {
    const perSecond = 1 + ((i * 7 + target) % 50);
    all.push({
      name: "http_requests_total",
      labels: { ...requestLabels(i), code: codes[(i >> 2) % 3]!, handler: handler(i) },
      ...comment(i === 0, "http_requests_total", "Requests served.", "counter"),
      valueAt: (second) => Math.floor(second * perSecond + (second % 7) * (i % 5)),
    });
  }
  for (let i = 0; i < histograms; i++) all.push(...histogram(target, i));
  for (let i = 0; i < gauges; i++) {
    all.push({
      name: "queue_temperature_celsius",
      labels: { queue: `q${i}`, zone: `z${i % 4}` },
      ...comment(i === 0, "queue_temperature_celsius", "A value that swings.", "gauge"),
      valueAt: (second) => Math.round(Math.sin((second + i * 13 + target) / 60) * 4000) / 100,
    });
  }
  return all;
}

function histogram(target: number, i: number): TargetSeries[] {
  const name = "http_request_duration_seconds";
  const labels = { ...requestLabels(i), handler: handler(i) };
  const perSecond = 2 + ((i * 3 + target) % 20);
  const buckets = bucketBounds.map((le, bucket): TargetSeries => {
    const share = (bucket + 1) / bucketBounds.length;
    return {
      name: `${name}_bucket`,
      labels: { ...labels, le },
      ...comment(i === 0 && bucket === 0, name, "How long requests took.", "histogram"),
      valueAt: (second) => Math.floor(second * perSecond * share),
    };
  });
  return [
    ...buckets,
    {
      name: `${name}_sum`,
      labels,
      valueAt: (second) => Math.round(second * perSecond * 213.7) / 1000,
    },
    { name: `${name}_count`, labels, valueAt: (second) => Math.floor(second * perSecond) },
  ];
}

function requestLabels(i: number): Record<string, string> {
  return { service: services[i % 10]!, method: methods[i % 3]! };
}

function handler(i: number): string {
  return `/api/v1/resource/${i}`;
}

function comment(isFirst: boolean, name: string, help: string, type: string): { comment?: string } {
  return isFirst ? { comment: `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n` } : {};
}
