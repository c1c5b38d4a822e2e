import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { NarthexError } from "../base/index.ts";
import { compactHistogram, equalHistograms, formatNotation } from "../model/index.ts";
import { exponentialHistograms, h } from "../model/histogram/testing.ts";
import { decodeProtobuf, type ScrapedEntry, type EntryOptions } from "./index.ts";
import {
  bytesField,
  doubleField,
  exemplarField,
  family,
  metric,
  nativeHistogramFields,
  timestampField,
  varint,
  varintField,
} from "./testing/protobuf-writer.ts";

const counter = 0;
const gauge = 1;
const summary = 2;
const untyped = 3;
const histogram = 4;
const gaugeHistogram = 5;

function decode(bytes: Uint8Array, options?: EntryOptions): ScrapedEntry[] {
  const entries = [...decodeProtobuf(bytes, options)];
  // Labels are read when they are asked for.
  for (const entry of entries) if (entry.kind !== "family") entry.labels();
  return entries;
}

/** Samples as `name{labels} value`, in order. */
function lines(bytes: Uint8Array, options?: EntryOptions): string[] {
  return decode(bytes, options).flatMap((entry) => {
    if (entry.kind === "family") return [];
    const labels = [...entry.labels().withoutMetricName()].map(([name, value]) => `${name}=${value}`).join();
    const value = entry.kind === "float" ? String(entry.value) : formatNotation(entry.histogram);
    return [`${entry.labels().get("__name__")}{${labels}} ${value}`];
  });
}

const classicBuckets = [
  bytesField(3, [varintField(1, 2), doubleField(2, 0.5), exemplarField(3, "a", 0.4, 1500)]),
  bytesField(3, [varintField(1, 3), doubleField(2, 1), exemplarField(3, "b", 0.9)]),
];

test("families and simple samples", () => {
  const body = Buffer.concat([
    family(
      "requests_total",
      counter,
      [
        metric(
          { code: "200" },
          bytesField(3, [doubleField(1, 7), exemplarField(2, "x", 1, 2500), timestampField(3, 1250)]),
        ),
        metric({ code: "500" }, bytesField(3, [doubleField(1, 1)]), varintField(6, -5n)),
      ],
      "Requests.",
    ),
    family("up", gauge, [metric({}, bytesField(2, [doubleField(1, NaN)]))]),
    family("odd", untyped, [metric({}, bytesField(5, [doubleField(1, -2)]), bytesField(99, "later"))]),
    family("none", counter, []),
  ]);
  const entries = decode(body);
  assert.deepEqual(entries[0], {
    kind: "family",
    name: "requests_total",
    type: "counter",
    help: "Requests.",
    unit: "",
  });
  assert.deepEqual(lines(body), [
    "requests_total{code=200} 7",
    "requests_total{code=500} 1",
    "up{} NaN",
    "odd{} -2",
  ]);
  const [, first, second] = entries;
  assert.ok(first?.kind === "float" && second?.kind === "float");
  assert.equal(first.timestampMs, undefined);
  assert.equal(first.startTimestampMs, 1250);
  assert.equal(first.exemplars[0]!.timestampMs, 2500);
  assert.equal(first.exemplars[0]!.labels.get("id"), "x");
  assert.equal(second.timestampMs, -5);
  assert.equal(decode(body).filter(({ kind }) => kind === "family").length, 4);
});

test("summaries and classic histograms", () => {
  const quantile = bytesField(3, [doubleField(1, 0.5), doubleField(2, 12)]);
  const body = Buffer.concat([
    family("s", summary, [metric({}, bytesField(4, [varintField(1, 3), doubleField(2, 30), quantile]))]),
    family("h", histogram, [
      metric({ a: "b" }, bytesField(7, [varintField(1, 4), doubleField(2, 9), ...classicBuckets])),
    ]),
  ]);
  assert.deepEqual(lines(body), [
    "s_count{} 3",
    "s_sum{} 30",
    "s{quantile=0.5} 12",
    "h_count{a=b} 4",
    "h_sum{a=b} 9",
    "h_bucket{a=b,le=0.5} 2",
    "h_bucket{a=b,le=1.0} 3",
    "h_bucket{a=b,le=+Inf} 4",
  ]);
  const exemplars = decode(body).flatMap((entry) => (entry.kind === "float" ? entry.exemplars : []));
  assert.deepEqual(
    exemplars.map(({ labels }) => labels.get("id")),
    ["a", "b"],
  );
});

test("native histograms, with or without classic buckets", () => {
  const native = nativeHistogramFields(h("count:4 sum:9 z_bucket_w:0.001 z_bucket:1 buckets:[1 0 2]"));
  const body = family("h", histogram, [
    metric({}, bytesField(7, [...native, ...classicBuckets, timestampField(15, 3000)])),
  ]);
  const text = "h{} {{count:4 sum:9 z_bucket:1 z_bucket_w:0.001 buckets:[1 0 2]}}";
  assert.deepEqual(lines(body), [text]);
  assert.equal(lines(body, { keepClassicHistograms: true }).length, 6);
  assert.deepEqual(lines(body, { ignoreNativeHistograms: true })[0], "h_count{} 4");
  const [, entry] = decode(body);
  assert.ok(entry?.kind === "histogram");
  assert.equal(entry.isFloat, false);
  assert.equal(entry.startTimestampMs, 3000);
  assert.deepEqual(entry.histogram.positive, { indices: [0, 2], counts: [1, 2] });
  assert.deepEqual(
    entry.exemplars.map(({ labels }) => labels.get("id")),
    ["a"],
  );
  const own = family("h", gaugeHistogram, [
    metric({}, bytesField(7, [...native, exemplarField(16, "c", 1, 1)])),
  ]);
  const [, ownEntry] = decode(own);
  assert.ok(ownEntry?.kind === "histogram");
  assert.equal(ownEntry.histogram.counterReset, "gauge");
  assert.equal(ownEntry.exemplars[0]!.labels.get("id"), "c");
  const float = [
    doubleField(4, 2.5),
    bytesField(12, [varintField(2, 2)]),
    doubleField(14, 1),
    doubleField(14, 1.5),
  ];
  assert.deepEqual(lines(family("f", histogram, [metric({}, bytesField(7, float))])), [
    "f{} {{count:2.5 buckets:[1 1.5]}}",
  ]);
  assert.deepEqual(lines(family("e", histogram, [metric({}, bytesField(7, [bytesField(12, [])]))])), [
    "e{} {{}}",
  ]);
});

test("classic histograms made native", () => {
  const fields = [varintField(1, 4), doubleField(2, 9), ...classicBuckets];
  const body = family("h", gaugeHistogram, [metric({}, bytesField(7, fields))]);
  const converted =
    "h{} {{schema:-53 count:4 sum:9 custom_values:[0.5 1] counter_reset_hint:gauge buckets:[2 1 1]}}";
  assert.deepEqual(lines(body, { convertClassicHistograms: true }), [converted]);
  const both = lines(body, { convertClassicHistograms: true, keepClassicHistograms: true });
  assert.deepEqual([both.length, both[0], both.at(-1)], [6, "h_count{} 4", converted]);
  const native = nativeHistogramFields(h("count:1 z_bucket:1"));
  const kept = lines(family("n", histogram, [metric({}, bytesField(7, native))]), {
    convertClassicHistograms: true,
  });
  assert.deepEqual(kept, ["n{} {{count:1 z_bucket:1}}"]);
  const wrong = family("w", histogram, [metric({}, bytesField(7, [varintField(1, 1), ...classicBuckets]))]);
  assert.throws(() => lines(wrong, { convertClassicHistograms: true }), {
    code: "bad_data",
    message: 'histogram "w": count is not cumulative: 1 < 3',
  });
});

test("any integer histogram comes through", () => {
  fc.assert(
    fc.property(exponentialHistograms, (original) => {
      const noop = bytesField(12, []);
      const body = family("h", histogram, [
        metric({}, bytesField(7, [...nativeHistogramFields(original), noop])),
      ]);
      const [, entry] = decode(body);
      assert.ok(entry?.kind === "histogram");
      assert.ok(equalHistograms(entry.histogram, compactHistogram(original)));
    }),
  );
});

test("a body in shared memory", () => {
  const body = family("up", gauge, [metric({ a: "é" }, bytesField(2, [doubleField(1, 1)]))]);
  const shared = new Uint8Array(new SharedArrayBuffer(body.length));
  shared.set(body);
  assert.deepEqual(lines(shared), ["up{a=é} 1"]);
});

test("what is malformed is refused with a typed error", () => {
  const cases: [body: Buffer, message: RegExp][] = [
    [Buffer.from([5, 1]), /^protobuf, byte 1: 5 bytes expected, 1 left$/],
    [family("", gauge, []), /^invalid metric name: $/],
    [family("x", 9, []), /^unknown metric type for metric "x": 9$/],
    [family("x", gauge, [metric({ "": "v" })]), /^invalid label name: $/],
    [
      family("x", gauge, [metric({ a: "1" }, bytesField(1, [bytesField(1, "a")]))]),
      /label name "a" is not unique/,
    ],
    [
      family("x", gauge, [metric({}, bytesField(1, [bytesField(1, [Buffer.from([0xff])])]))]),
      /not valid UTF-8/,
    ],
    [family("x", gauge, [metric({}, bytesField(2, [varintField(1, 1)]))]), /field 1 is not a double/],
    [Buffer.from([2, 0x7b, 0]), /unknown wire type 3/],
    [
      family("x", histogram, [metric({}, bytesField(7, [bytesField(12, [varintField(2, 2n ** 32n)])]))]),
      /^histogram "x": positive side: spans require 4294967296 buckets, have 0$/,
    ],
    [
      family("x", gauge, [metric({}, ...Array.from({ length: 1001 }, () => bytesField(1, [])))]),
      /^protobuf: a metric has more than 1000 labels$/,
    ],
  ];
  for (const [body, message] of cases) assert.throws(() => decode(body), { code: "bad_data", message });
  assert.throws(() => decode(varint(2n ** 64n - 1n)), { code: "bad_data" });
});

test("random and damaged bodies end in a typed error or in samples", () => {
  const native = nativeHistogramFields(h("count:4 sum:9 z_bucket_w:0.001 z_bucket:1 buckets:[1 0 2]"));
  const body = family(
    "h",
    histogram,
    [metric({ a: "b" }, bytesField(7, [...native, ...classicBuckets]))],
    "help",
  );
  const read = (bytes: Uint8Array): void => {
    try {
      decode(bytes, { keepClassicHistograms: true });
    } catch (error) {
      assert.ok(error instanceof NarthexError && error.code === "bad_data", String(error));
    }
  };
  for (let length = 0; length < body.length; length++) read(body.subarray(0, length));
  fc.assert(fc.property(fc.uint8Array(), read), { numRuns: 500 });
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(body.length - 1), fc.nat(255)), { minLength: 1 }), (changes) => {
      const damaged = Uint8Array.from(body);
      for (const [at, value] of changes) damaged[at] = value;
      read(damaged);
    }),
    { numRuns: 500 },
  );
});

test("the key of an entry tells its labels apart", () => {
  const pair = (a: string, b: string): Buffer => metric({ a, b }, bytesField(2, [doubleField(1, 1)]));
  const buckets = bytesField(7, [varintField(1, 5), ...classicBuckets]);
  const body = Buffer.concat([
    family("g", gauge, [pair("x", "y"), pair("xy", ""), pair("", "xy"), pair("x|", "y")]),
    family("g_count", gauge, [pair("x", "y")]),
    family("g", histogram, [metric({ a: "x", b: "y" }, buckets), metric({}, buckets)]),
  ]);
  const keysOf = (entries: ScrapedEntry[]): [key: string, labels: string][] =>
    entries.flatMap((entry) =>
      entry.kind === "family" ? [] : [[entry.key, entry.labels().toString()] as [string, string]],
    );
  const keys = keysOf(decode(body));
  assert.deepEqual(keysOf(decode(body)), keys, "the same each time");
  for (const [key, labels] of keys)
    for (const [otherKey, otherLabels] of keys) if (key === otherKey) assert.equal(labels, otherLabels);
  assert.equal(new Set(keys.map(([key]) => key)).size, new Set(keys.map(([, labels]) => labels)).size + 1);
});
