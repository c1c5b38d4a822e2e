import { Labels, metricNameLabel } from "../../src/model/index.ts";

export interface TestSeries {
  labels: Labels;
  samples: { timestampMs: number; value: number }[];
}

/** Numbers in [0, 1) that a seed determines. */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const scrapeIntervalMs = 15_000;
const bounds = ["0.1", "0.5", "1", "5", "+Inf"];

/**
 * Counters with resets, gauges, classic histograms, an info metric, and series with gaps, over `durationMs`. No sample lies on a whole
 * second, so that windows whose ends do never meet one.
 */
export function testSeries(startMs: number, durationMs: number): TestSeries[] {
  const random = randomNumbers(7);
  const series: TestSeries[] = [];
  const count = Math.floor(durationMs / scrapeIntervalMs);
  const add = (labels: Record<string, string>, value: (i: number) => number | undefined): void => {
    const offsetMs = Math.floor(random() * 14_000) + 217 - (Math.floor(random() * 14_000) % 1000);
    const samples = [];
    for (let i = 0; i < count; i++) {
      const at = value(i);
      const timestampMs = startMs + i * scrapeIntervalMs + Math.abs(offsetMs);
      if (at !== undefined) samples.push({ timestampMs: avoidWholeSecond(timestampMs), value: at });
    }
    series.push({ labels: Labels.from(labels), samples });
  };
  const counter = (): ((i: number) => number) => {
    let total = Math.floor(random() * 100);
    return () => {
      if (random() < 0.01) total = 0;
      total += Math.floor(random() * 20);
      return total;
    };
  };
  for (const job of ["api", "web"]) {
    for (const instance of ["a:1", "b:1", "c:1"]) {
      for (const path of ["/", "/x", "/y"]) {
        add({ __name__: "requests_total", job, instance, path }, counter());
        if (path !== "/y") add({ __name__: "errors_total", job, instance, path }, counter());
      }
      add({ __name__: "build_info", job, instance, version: instance === "a:1" ? "1.2" : "1.3" }, () => 1);
      for (const sensor of ["1", "2"]) {
        let value = random() * 40 - 20;
        add({ __name__: "temperature", job, instance, sensor }, () => (value += random() * 4 - 2));
      }
      const counts = bounds.map(() => 0);
      let step = -1;
      const offsets: ((i: number) => number)[] = bounds.map((_, bucket) => (i) => {
        if (i !== step) {
          step = i;
          let added = 0;
          for (let b = 0; b < bounds.length; b++) counts[b]! += added += Math.floor(random() * 5);
        }
        return counts[bucket]!;
      });
      // Buckets of one histogram are filled together, one row of counts per scrape.
      const table = Array.from({ length: count }, (_, i) => offsets.map((offset) => offset(i)));
      bounds.forEach((le, bucket) => {
        add({ __name__: "latency_seconds_bucket", job, instance, le }, (i) => table[i]![bucket]!);
      });
      add({ __name__: "sparse", job, instance }, (i) => (i % 60 < 25 ? i : undefined));
    }
  }
  add({ __name__: "odd", kind: "nan" }, (i) => (i % 3 === 0 ? NaN : i));
  add({ __name__: "odd", kind: "inf" }, (i) => (i % 50 === 0 ? Infinity : -i));
  add({ __name__: "odd", kind: "constant" }, () => 42);
  return series;
}

function avoidWholeSecond(timestampMs: number): number {
  return timestampMs % 1000 === 0 ? timestampMs + 3 : timestampMs;
}

export function toOpenMetrics(series: readonly TestSeries[]): string {
  const lines: string[] = [];
  for (const { labels, samples } of series) {
    const pairs = [...labels.withoutMetricName()].map(([name, value]) => `${name}=${JSON.stringify(value)}`);
    const name = `${labels.get(metricNameLabel)}{${pairs.join(",")}}`;
    for (const { timestampMs, value } of samples) {
      const text = Number.isNaN(value)
        ? "NaN"
        : value === Infinity
          ? "+Inf"
          : value === -Infinity
            ? "-Inf"
            : String(value);
      lines.push(`${name} ${text} ${(timestampMs / 1000).toFixed(3)}`);
    }
  }
  return `${lines.join("\n")}\n# EOF\n`;
}
