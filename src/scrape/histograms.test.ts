import assert from "node:assert/strict";
import test from "node:test";
import {
  bytesField,
  doubleField,
  exemplarField,
  family,
  metric,
  nativeHistogramFields,
  varintField,
  protobufContentType,
} from "../exposition/testing/protobuf-writer.ts";
import { createHistogram, formatNotation, type Histogram, Labels } from "../model/index.ts";
import { limitBuckets, schemaForFactor } from "./histogram-limits.ts";
import { type Bench, createBench, type Stored } from "./test-support.ts";

const job = (more = ""): string => `
- job_name: j
  scrape_interval: 10s
  scrape_timeout: 10s
  scrape_native_histograms: true
  static_configs: [{targets: [a:80]}]
${more.replace(/^(?=.)/gm, "  ")}`;

function histogramOf(counts: number[], fields: Partial<Histogram> = {}): Histogram {
  const count = counts.reduce((a, b) => a + b, 0);
  const positive = { indices: counts.map((_, i) => i), counts };
  return createHistogram({ schema: 1, count, sum: 1, positive, ...fields });
}

/** A counter and the histograms, with a classic bucket each. */
function body(histograms: Readonly<Record<string, Histogram>>): Buffer {
  const families = Object.entries(histograms).map(([name, histogram]) => {
    const classic = bytesField(3, [doubleField(4, 2), doubleField(2, 1)]);
    return family(name, 4, [metric({}, bytesField(7, [...nativeHistogramFields(histogram), classic]))]);
  });
  return Buffer.concat([family("c_total", 0, [metric({}, bytesField(3, [doubleField(1, 5)]))]), ...families]);
}

async function scraping(
  yaml: string,
  work: (bench: Bench) => Promise<void>,
  readsStarts = false,
): Promise<void> {
  const bench = createBench(Labels.empty, readsStarts);
  try {
    bench.apply(yaml);
    await work(bench);
  } finally {
    await bench.manager.close();
  }
}

const texts = (bench: Bench, name: string): string[] =>
  bench.storage
    .get(`${name}{instance="a:80", job="j"}`)
    .map(([, value]: Stored) => (typeof value === "object" ? formatNotation(value) : String(value)));
const lastError = (bench: Bench): string => bench.manager.pools()[0]!.targets()[0]!.lastError;

test("series of a protobuf body come, go and change their format with the target", async () => {
  await scraping(job(), async (bench) => {
    const h = histogramOf([1, 2]);
    const answers = [
      { body: body({ h, passing: h }), contentType: protobufContentType },
      { body: body({ h }), contentType: protobufContentType },
      { body: "c_total 6\n" },
      { body: body({ h }), contentType: protobufContentType },
      { error: new Error("gone") },
    ];
    bench.targets.set("a:80", (elapsedMs) => answers[Math.floor(elapsedMs / 10_000)]!);
    await bench.clock.advance(50_000);
    const one = "{{schema:1 count:3 sum:1 buckets:[1 2]}}";
    assert.deepEqual(texts(bench, "h"), [one, one, "stale", one, "stale"]);
    assert.deepEqual(texts(bench, "passing"), [one, "stale"]);
    assert.deepEqual(texts(bench, "c_total"), ["5", "5", "6", "5", "stale"]);
    assert.deepEqual(texts(bench, "h_count"), [], "classic series are left out where there are native ones");
    assert.deepEqual(texts(bench, "scrape_series_added"), ["3", "0", "1", "2", "0"]);
    assert.deepEqual(texts(bench, "scrape_samples_scraped"), ["3", "2", "1", "2", "0"]);
    assert.deepEqual(texts(bench, "up"), ["1", "1", "1", "1", "0"]);
  });
});

test("classic series are stored beside native ones, or instead, as the job or the target's labels say", async () => {
  const relabel = (label: string, value: boolean): string =>
    `relabel_configs: [{target_label: ${label}, replacement: "${value}"}]`;
  for (const [more, native, classic] of [
    ["always_scrape_classic_histograms: true", 1, 1],
    [relabel("__always_scrape_classic_histograms__", true), 1, 1],
    [relabel("__scrape_native_histograms__", false), 0, 1],
  ] as const)
    await scraping(job(more), async (bench) => {
      bench.targets.set("a:80", () => ({
        body: body({ h: histogramOf([1, 2]) }),
        contentType: protobufContentType,
      }));
      await bench.clock.advance(10_000);
      assert.deepEqual([texts(bench, "h").length, texts(bench, "h_count").length], [native, classic], more);
    });
});

test("too many buckets are made fewer; where that is not possible the scrape fails and is counted", async () => {
  await scraping(job("native_histogram_bucket_limit: 3"), async (bench) => {
    let h = histogramOf([1, 1, 1, 1]);
    bench.targets.set("a:80", () => ({ body: body({ h }), contentType: protobufContentType }));
    await bench.clock.advance(10_000);
    assert.deepEqual(texts(bench, "h"), ["{{count:4 sum:1 buckets:[1 2 1]}}"]);
    const indices = Array.from({ length: 4 }, (_, i) => 100 * i);
    h = histogramOf([1, 1, 1, 1], { schema: -4, positive: { indices, counts: [1, 1, 1, 1] } });
    await bench.clock.advance(10_000);
    assert.equal(lastError(bench), "histogram bucket limit exceeded");
    assert.deepEqual(texts(bench, "h").slice(1), ["stale"]);
    const metrics = bench.registry.expose();
    assert.match(metrics, /^prometheus_target_scrapes_exceeded_native_histogram_bucket_limit_total 1$/m);
    assert.deepEqual(texts(bench, "scrape_samples_scraped"), ["2", "2"]);
  });
});

test("the sample limit holds for protobuf too, and what is malformed fails the scrape", async () => {
  await scraping(job("sample_limit: 1"), async (bench) => {
    let answer = body({ h: histogramOf([1]) });
    bench.targets.set("a:80", () => ({ body: answer, contentType: protobufContentType }));
    await bench.clock.advance(10_000);
    assert.equal(lastError(bench), "sample limit exceeded");
    assert.deepEqual(texts(bench, "scrape_samples_post_metric_relabeling"), ["2"]);
    answer = answer.subarray(0, -1);
    await bench.clock.advance(10_000);
    assert.notEqual(lastError(bench), "");
    answer = body({ h: { ...histogramOf([1]), count: 7 } });
    await bench.clock.advance(10_000);
    assert.notEqual(lastError(bench), "");
    assert.deepEqual(texts(bench, "up"), ["0", "0", "0"]);
  });
});

test("the schema follows from the smallest factor between buckets", () => {
  const factors = [0, 1, 1.001, 1.0028, 1.006, 1.02, 1.1, 1.5, 2, 4, 1000, 1e6];
  assert.deepEqual(factors.map(schemaForFactor), [8, 8, 8, 7, 6, 5, 2, 0, 0, -1, -4, -4]);
  const fine = histogramOf([1, 1, 1, 1], { schema: 3 });
  assert.equal(limitBuckets(fine, { bucketLimit: 0, schemaMax: 2 }).schema, 2);
  const custom = createHistogram({ ...fine, schema: -53, customBounds: [1, 2, 3, 4] });
  assert.equal(limitBuckets(custom, { bucketLimit: 4, schemaMax: -4 }), custom);
  assert.throws(() => limitBuckets(custom, { bucketLimit: 3, schemaMax: 8 }), /bucket limit/);
});

test("since when samples count is read where it is asked for, from OpenMetrics and protobuf", async () => {
  const text = `# TYPE c counter
c_total 5
c_created 1.5
# TYPE g gauge
g_created 7
# EOF
`;
  const start = bytesField(15, [varintField(1, 2), varintField(2, 500_000_000)]);
  const histogram = bytesField(7, [...nativeHistogramFields(histogramOf([1])), start]);
  const counter = bytesField(3, [doubleField(1, 5), bytesField(3, [varintField(1, 3)])]);
  const protobuf = Buffer.concat([
    family("c_total", 0, [metric({}, counter)]),
    family("h", 4, [metric({}, histogram)]),
  ]);
  const key = (name: string): string => `${name}{instance="a:80", job="j"}`;
  for (const readsStarts of [true, false])
    await scraping(
      job(),
      async ({ clock, targets, storage }) => {
        targets.set("a:80", () => ({
          body: text,
          contentType: "application/openmetrics-text; version=1.0.0",
        }));
        await clock.advance(10_000);
        assert.equal(storage.get(key("c_created")).length, readsStarts ? 0 : 1);
        assert.equal(storage.get(key("g_created")).length, 1);
        assert.equal(storage.starts.get(key("c_total")), readsStarts ? 1500 : undefined);
        targets.set("a:80", () => ({ body: protobuf, contentType: protobufContentType }));
        await clock.advance(10_000);
        assert.equal(storage.starts.get(key("c_total")), readsStarts ? 3000 : 0);
        assert.equal(storage.starts.get(key("h")), readsStarts ? 2500 : 0);
      },
      readsStarts,
    );
});

test("exemplars of histograms are told in the order of their times, and late only when all are", async () => {
  await scraping(job(), async (bench) => {
    bench.storage.keepsNotes = true;
    const told = (exemplars: Buffer[]): Buffer => {
      const fields = [...nativeHistogramFields(histogramOf([1])), ...exemplars];
      return family("h", 4, [metric({}, bytesField(7, fields))]);
    };
    // The storage of this test takes those below 0 for late.
    const [old, one, other] = [
      exemplarField(16, "old", -1, 1000),
      exemplarField(16, "one", 2, 2000),
      exemplarField(16, "other", 1, 2000),
    ];
    const answers = [[one, exemplarField(16, "untimed", 1), other, old], [old]];
    bench.targets.set("a:80", (elapsedMs) => ({
      body: told(answers[Math.floor(elapsedMs / 10_000)]!),
      contentType: protobufContentType,
    }));
    const late = /^prometheus_target_scrapes_exemplar_out_of_order_total (.*)$/m;
    await bench.clock.advance(10_000);
    assert.deepEqual(
      bench.storage.exemplars.map(([, { labels }]) => labels.get("id")),
      ["old", "other", "one"],
    );
    assert.equal(late.exec(bench.registry.expose())?.[1], "0");
    await bench.clock.advance(10_000);
    assert.equal(late.exec(bench.registry.expose())?.[1], "1");
  });
});
