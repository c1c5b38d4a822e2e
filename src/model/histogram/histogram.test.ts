import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  addHistograms,
  type Buckets,
  bucketUpperBound,
  ClassicHistogram,
  compactHistogram,
  createHistogram,
  cumulativeBuckets,
  detectCounterReset,
  divideHistogram,
  equalHistograms,
  exponentialBound,
  formatHistogram,
  formatIntegerHistogram,
  formatNotation,
  type Histogram,
  histogramAverage,
  histogramBytes,
  histogramFraction,
  HistogramMean,
  histogramQuantile,
  HistogramSum,
  histogramVariance,
  indicesFromSpans,
  multiplyHistogram,
  negateHistogram,
  parseHistogram,
  reduceResolution,
  spansFromIndices,
  subtractHistograms,
  trimHistogramAbove,
  trimHistogramBelow,
  validateFloatHistogram,
  validateIntegerHistogram,
} from "./index.ts";
import { customHistograms, exponentialHistograms, h, histogramJson } from "./testing.ts";

const both = fc.oneof(exponentialHistograms, customHistograms);
const pairs = fc.oneof(
  fc.tuple(exponentialHistograms, exponentialHistograms),
  fc.tuple(customHistograms, customHistograms),
);

function assertEqual(actual: Histogram, expected: Histogram): void {
  const isEqual = equalHistograms(compactHistogram(actual), compactHistogram(expected));
  assert.ok(isEqual, `${formatNotation(actual)} is not ${formatNotation(expected)}`);
}

function inBuckets({ positive, negative, zeroCount }: Histogram): number {
  return [...positive.counts, ...negative.counts].reduce((sum, count) => sum + count, zeroCount);
}

test("bounds are powers of two, the finite ones end at the largest number", () => {
  assert.equal(exponentialBound(0, 0), 1);
  assert.equal(exponentialBound(3, 0), 8);
  assert.equal(exponentialBound(-1, -1), 0.25);
  assert.equal(exponentialBound(2, -4), 2 ** 32);
  assert.equal(exponentialBound(1, 1), 1.414213562373095);
  assert.equal(exponentialBound(1, 2), 1.189207115002721);
  assert.equal(
    exponentialBound(255, 8),
    2 * 0.9972968573887013 + (exponentialBound(255, 8) - 2 * 0.9972968573887013),
  );
  for (const schema of [-4, -1, 0, 3, 8]) {
    const last = 1024 * 2 ** schema;
    assert.equal(exponentialBound(last, schema), Number.MAX_VALUE);
    assert.equal(exponentialBound(last + 1, schema), Infinity);
    assert.ok(exponentialBound(last - 1, schema) < Number.MAX_VALUE);
  }
  assert.equal(exponentialBound(-1074, 0), 5e-324);
  assert.deepEqual(
    [-1, 0, 1, 2].map((index) => bucketUpperBound(index, -53, [5, 10])),
    [-Infinity, 5, 10, Infinity],
  );
});

test("spans and indices describe the same buckets", () => {
  assert.deepEqual(
    indicesFromSpans(
      [
        { offset: -2, length: 2 },
        { offset: 0, length: 1 },
        { offset: 5, length: 0 },
        { offset: 1, length: 1 },
      ],
      4,
    ),
    [-2, -1, 0, 7],
  );
  fc.assert(
    fc.property(exponentialHistograms, ({ positive: { indices } }) => {
      assert.deepEqual(indicesFromSpans(spansFromIndices(indices), indices.length), indices);
    }),
  );
  assert.throws(
    () => indicesFromSpans([{ offset: 0, length: 2 }], 1),
    /spans need 2 buckets, have 1 buckets/,
  );
  assert.throws(
    () => indicesFromSpans([{ offset: 0, length: 2 ** 32 - 1 }], 1),
    /spans need 4294967295 buckets/,
  );
  assert.throws(
    () =>
      indicesFromSpans(
        [
          { offset: 0, length: 1 },
          { offset: -1, length: 1 },
        ],
        2,
      ),
    /span number 2 with offset -1: histogram has a span whose offset is negative/,
  );
});

test("notation, text and JSON", () => {
  const body =
    "schema:1 count:10 sum:-3.5 z_bucket:2 z_bucket_w:0.001 counter_reset_hint:gauge offset:1 buckets:[3 0 4] n_offset:-1 n_buckets:[1]";
  const histogram = h(body);
  assert.equal(formatNotation(histogram), `{{${body}}}`);
  assert.equal(
    formatHistogram(histogram),
    "{count:10, sum:-3.5, [-0.7071067811865475,-0.5):1, [-0.001,0.001]:2, (1,1.414213562373095]:3, (2,2.82842712474619]:4}",
  );
  assert.deepEqual(histogramJson(histogram), {
    count: "10",
    sum: "-3.5",
    buckets: [
      [1, "-0.7071067811865475", "-0.5", "1"],
      [3, "-0.001", "0.001", "2"],
      [0, "1", "1.414213562373095", "3"],
      [0, "2", "2.82842712474619", "4"],
    ],
  });
  const custom = h("schema:-53 sum:1 count:6 custom_values:[5 10] buckets:[1 2 3]");
  assert.equal(formatHistogram(custom), "{count:6, sum:1, [-Inf,5]:1, (5,10]:2, (10,+Inf]:3}");
  assert.equal(formatNotation(custom), "{{schema:-53 count:6 sum:1 custom_values:[5 10] buckets:[1 2 3]}}");
  assert.equal(formatHistogram(h("")), "{count:0, sum:0}");
  assert.deepEqual(histogramJson(h("")), { count: "0", sum: "0" });
  assert.equal(formatHistogram(h("count:1234567")), "{count:1.234567e+06, sum:0}");
  assert.equal(
    formatIntegerHistogram(h("count:1234567 z_bucket:1234567")),
    "{count:1234567, sum:0, [-0,0]:1234567}",
  );
  assert.equal(parseHistogram("counter_reset_hint:unknown").hasHint, true);
  assert.equal(parseHistogram("").hasHint, false);
  for (const bad of [
    "schema",
    "sum:x",
    "buckets:3",
    "a:1",
    "count:1 count:2",
    "counter_reset_hint:x",
    "offset:1.5",
  ])
    assert.throws(() => parseHistogram(bad), { name: "NarthexError", code: "bad_data" });
});

test("cumulative buckets fill the gaps", () => {
  assert.deepEqual(cumulativeBuckets(h("count:6 z_bucket:1 z_bucket_w:0.5 buckets:[2 0 3]")), [
    { upper: 0.5, count: 1 },
    { upper: 1, count: 3 },
    { upper: 2, count: 3 },
    { upper: 4, count: 6 },
  ]);
});

test("addition reconciles schemas, zero buckets and custom bounds", () => {
  const cases: [a: string, b: string, sum: string][] = [
    ["count:3 sum:1 buckets:[1 2]", "count:1 sum:2 offset:3 buckets:[1]", "count:4 sum:3 buckets:[1 2 0 1]"],
    [
      "schema:1 count:6 offset:1 buckets:[1 2 3]",
      "count:4 offset:1 buckets:[4]",
      "count:10 offset:1 buckets:[7 3]",
    ],
    [
      "count:3 z_bucket:1 z_bucket_w:1 offset:1 buckets:[2]",
      "count:4 z_bucket:1 z_bucket_w:0.5 buckets:[3]",
      "count:7 z_bucket:5 z_bucket_w:1 offset:1 buckets:[2]",
    ],
    // A threshold inside of a populated bucket moves to its end, on either side.
    [
      "count:1 z_bucket:1 z_bucket_w:0.7",
      "count:3 z_bucket_w:0.1 buckets:[2] n_offset:1 n_buckets:[1]",
      "count:4 z_bucket:3 z_bucket_w:1 n_offset:1 n_buckets:[1]",
    ],
    [
      "schema:-53 count:6 custom_values:[1 2 3] buckets:[1 2 3]",
      "schema:-53 count:7 custom_values:[2 3 4] buckets:[1 2 3 1]",
      "schema:-53 count:13 custom_values:[2 3] buckets:[4 5 4]",
    ],
  ];
  for (const [a, b, sum] of cases) assertEqual(addHistograms(h(a), h(b)).histogram, h(sum));
  assert.throws(() => addHistograms(h("schema:-53"), h("")), {
    message: "cannot apply this operation on histograms with a mix of exponential and custom bucket schemas",
  });
  assert.equal(addHistograms(bounds("1 2"), bounds("2")).boundsReconciled, true);
  assert.equal(addHistograms(bounds("1 2"), bounds("1 2")).boundsReconciled, false);
});

function bounds(text: string): Histogram {
  return h(`schema:-53 custom_values:[${text}]`);
}

test("hints of a sum", () => {
  const hintOf = (a: string, b: string): [string, boolean] => {
    const { histogram, counterResetCollision } = addHistograms(
      h(`counter_reset_hint:${a}`),
      h(`counter_reset_hint:${b}`),
    );
    return [histogram.counterReset, counterResetCollision];
  };
  assert.deepEqual(hintOf("gauge", "reset"), ["gauge", false]);
  assert.deepEqual(hintOf("not_reset", "gauge"), ["gauge", false]);
  assert.deepEqual(hintOf("not_reset", "not_reset"), ["not_reset", false]);
  assert.deepEqual(hintOf("unknown", "reset"), ["unknown", false]);
  assert.deepEqual(hintOf("reset", "not_reset"), ["unknown", true]);
});

test("addition commutes, subtraction undoes it, counts are kept", () => {
  fc.assert(
    fc.property(pairs, ([a, b]) => {
      const { histogram: sum } = addHistograms(a, b);
      assertEqual(sum, addHistograms(b, a).histogram);
      assert.equal(sum.count, a.count + b.count);
      assert.equal(inBuckets(sum), a.count + b.count);
      const { histogram: back } = subtractHistograms(sum, b);
      assert.equal(inBuckets(back), a.count);
    }),
  );
});

test("histograms with the same buckets add up as those do whose buckets have to be merged", () => {
  const counts = fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), {
    minLength: 3,
    maxLength: 3,
  });
  fc.assert(
    fc.property(fc.array(counts, { minLength: 1, maxLength: 6 }), (all) => {
      const make = (own: number[], extra: Buckets): Histogram =>
        createHistogram({
          schema: 1,
          zeroThreshold: 0.001,
          zeroCount: own[2]!,
          count: own[0]!,
          sum: own[1]!,
          positive: { indices: [1, 4, 6, ...extra.indices], counts: [...own, ...extra.counts] },
          negative: { indices: [2], counts: [own[1]!] },
        });
      const sumOf = (others: Buckets): Histogram => {
        const sum = new HistogramSum(make([1, 2, 3], { indices: [9], counts: [0] }));
        for (const own of all) sum.add(make(own, others));
        return sum.result();
      };
      // A bucket of its own on one side, and one that is missing on the other, lead the general way.
      assert.deepEqual(sumOf({ indices: [9], counts: [0] }), sumOf({ indices: [], counts: [] }));
    }),
  );
});

test("sums and means agree with plain arithmetic, and keep what rounding would lose", () => {
  fc.assert(
    fc.property(fc.tuple(pairs, pairs), ([[a, b]]) => {
      const sum = new HistogramSum({ ...a, sum: 1 });
      sum.add({ ...b, sum: 2 });
      assertEqual(sum.result(), addHistograms({ ...a, sum: 1 }, { ...b, sum: 2 }).histogram);
      const mean = new HistogramMean(a);
      mean.add(a);
      assertEqual(mean.result(), a);
    }),
  );
  const sum = new HistogramSum(h("count:1 sum:1e100 buckets:[1e100]"));
  for (const text of ["count:1 sum:1 buckets:[1]", "count:1 sum:-1e100 buckets:[-1e100]"]) sum.add(h(text));
  assertEqual(sum.result(), h("count:3 sum:1 buckets:[1]"));
  const mean = new HistogramMean(h("count:1 sum:1.5e308 buckets:[1.5e308]"));
  mean.add(h("count:1 sum:1.5e308 buckets:[1.5e308]"));
  assertEqual(mean.result(), h("count:1 sum:1.5e308 buckets:[1.5e308]"));
  for (const texts of [
    ["1e308", "1.2e308", "1.4e308"],
    ["1", "2", "6"],
  ]) {
    const [a, b, c] = texts.map((text) => h(`count:1 sum:${text} buckets:[1]`)) as [
      Histogram,
      Histogram,
      Histogram,
    ];
    const [left, right] = [new HistogramMean(a), new HistogramMean(b)];
    right.add(c);
    left.merge(structuredClone(right.state));
    const whole = new HistogramMean(a);
    for (const histogram of [b, c]) whole.add(histogram);
    assert.ok(Math.abs(left.result().sum / whole.result().sum - 1) < 1e-15);
    assert.equal(left.result().count, 1);
    const [first, second] = [new HistogramSum(a), new HistogramSum(b)];
    first.merge(second.state);
    assertEqual(first.result(), addHistograms(a, b).histogram);
  }
  const mixed = new HistogramSum(h("counter_reset_hint:reset"));
  mixed.add(h("counter_reset_hint:not_reset"));
  assert.equal(mixed.remarks.counterResetCollision, true);
});

test("scaling", () => {
  const histogram = h("count:6 sum:3 z_bucket:2 buckets:[4]");
  assertEqual(multiplyHistogram(histogram, 2), h("count:12 sum:6 z_bucket:4 buckets:[8]"));
  assert.equal(multiplyHistogram(histogram, -1).counterReset, "gauge");
  assertEqual(negateHistogram(histogram), h("count:-6 sum:-3 z_bucket:-2 buckets:[-4]"));
  assert.equal(formatHistogram(divideHistogram(histogram, 0)), "{count:+Inf, sum:+Inf, [-0,0]:+Inf}");
});

test("lower resolution and compacting keep the observations", () => {
  fc.assert(
    fc.property(exponentialHistograms, fc.nat({ max: 12 }), fc.nat({ max: 5 }), (histogram, less, empty) => {
      const schema = Math.max(-4, histogram.schema - less);
      const reduced = reduceResolution(histogram, schema);
      assert.equal(inBuckets(reduced), histogram.count);
      for (const index of reduced.positive.indices) assert.ok(Number.isInteger(index));
      assert.deepEqual(
        reduceResolution(reduceResolution(histogram, Math.max(schema, histogram.schema - 1)), schema),
        reduced,
      );
      assertEqual(compactHistogram(histogram, empty), histogram);
      const { counts } = compactHistogram(histogram, empty).positive;
      assert.ok(!counts.join().includes("0,".repeat(empty + 1).slice(0, -1) + ",0") || empty > 0);
    }),
  );
  assert.deepEqual(compactHistogram(h("buckets:[0 1 0 0 2 0]"), 1).positive, {
    indices: [1, 4],
    counts: [1, 2],
  });
  assert.deepEqual(compactHistogram(h("buckets:[0 1 0 0 2 0]"), 2).positive, {
    indices: [1, 2, 3, 4],
    counts: [1, 0, 0, 2],
  });
});

test("a counter that only counts on is not reset, any decrease is one", () => {
  fc.assert(
    fc.property(pairs, ([a, b]) => {
      const before = { ...a, counterReset: "unknown" as const };
      const after = { ...addHistograms(a, b).histogram, counterReset: "unknown" as const };
      assert.equal(detectCounterReset(after, before), false);
      if (b.count > 0) assert.equal(detectCounterReset(before, after), true);
    }),
  );
  const cases: [current: string, previous: string, isReset: boolean][] = [
    ["count:1 counter_reset_hint:reset", "", true],
    ["counter_reset_hint:not_reset", "count:1", false],
    ["count:1", "count:2", true],
    ["count:5 buckets:[5]", "count:2 buckets:[1 1]", true],
    ["count:5 buckets:[5]", "count:2 buckets:[2 0]", false],
    ["count:5 schema:1", "count:2", true],
    ["count:5 z_bucket:3 z_bucket_w:0.5", "count:2 z_bucket:1 z_bucket_w:1", true],
    // A larger zero bucket takes whole buckets in; one that ends inside of a bucket cannot come from counting on.
    ["count:5 z_bucket:3 z_bucket_w:1", "count:2 z_bucket_w:0.5 buckets:[2]", false],
    ["count:5 z_bucket:1 z_bucket_w:1", "count:2 z_bucket_w:0.5 buckets:[2]", true],
    ["count:5 z_bucket:5 z_bucket_w:0.75", "count:2 z_bucket_w:0.5 buckets:[2]", true],
    ["count:5 schema:-53 custom_values:[1] buckets:[5]", "count:2 buckets:[2]", true],
    ["count:5 buckets:[5]", "count:2 schema:-53 custom_values:[1] buckets:[2]", true],
    [
      "count:5 schema:-53 custom_values:[1 2] buckets:[1 4]",
      "count:2 schema:-53 custom_values:[2] buckets:[2]",
      false,
    ],
    [
      "count:5 schema:-53 custom_values:[1 2] buckets:[1 0 4]",
      "count:2 schema:-53 custom_values:[2] buckets:[2]",
      true,
    ],
  ];
  for (const [current, previous, isReset] of cases)
    assert.equal(detectCounterReset(h(current), h(previous)), isReset, `${current} after ${previous}`);
});

function value(phi: number, histogram: Histogram): number {
  return histogramQuantile(phi, histogram).value;
}

test("quantiles", () => {
  const positive = h("count:12 sum:100 z_bucket:2 z_bucket_w:0.001 buckets:[2 3 0 5]");
  assert.equal(value(0, positive), 0);
  assert.equal(value(1, positive), 8);
  assert.equal(value(0.5, positive), 2 ** (2 / 3));
  assert.equal(value(-1, positive), -Infinity);
  assert.equal(value(2, positive), Infinity);
  assert.equal(value(0.5, h("")), NaN);
  const negative = h("count:4 sum:-9 z_bucket:2 z_bucket_w:1 n_offset:1 n_buckets:[2]");
  assert.equal(value(0.25, negative), -1.414213562373095);
  assert.equal(value(0.75, negative), -0.5);
  const custom = h("schema:-53 count:10 custom_values:[5 10] buckets:[4 4 2]");
  assert.deepEqual(
    [0, 0.2, 0.6, 0.9, 1].map((phi) => value(phi, custom)),
    [0, 2.5, 7.5, 10, 10],
  );
  assert.equal(value(0.1, h("schema:-53 count:4 custom_values:[-5 10] buckets:[4]")), -5);
  const withNaN = h("count:4 sum:NaN buckets:[2]");
  assert.deepEqual(histogramQuantile(0.25, withNaN), { value: 0.7071067811865475, remark: "skewed" });
  assert.deepEqual(histogramQuantile(0.9, withNaN), { value: NaN, remark: "nan" });
});

test("the fraction below a quantile is that quantile", () => {
  fc.assert(
    fc.property(both, fc.double({ min: 0.01, max: 0.99, noNaN: true }), (histogram, phi) => {
      fc.pre(histogram.count > 0);
      const { value } = histogramQuantile(phi, histogram);
      const { value: back } = histogramFraction(-Infinity, value, histogram);
      const isInside = compactHistogram(histogram).schema !== -53 && histogram.zeroThreshold > 0;
      // Where a quantile falls into a bucket without extent or an infinite one, nothing leads back.
      if (isInside && histogram.zeroCount === 0) assert.ok(Math.abs(back - phi) < 1e-9, `${back} for ${phi}`);
      else assert.ok(back >= 0 && back <= 1);
    }),
  );
  const histogram = h("count:12 sum:100 z_bucket:2 z_bucket_w:0.001 buckets:[2 3 0 5]");
  assert.equal(histogramFraction(1, 2, histogram).value, 0.25);
  assert.equal(histogramFraction(2, 1, histogram).value, 0);
  assert.equal(histogramFraction(NaN, 1, histogram).value, NaN);
  const withNaN = h("count:4 sum:NaN buckets:[2]");
  assert.deepEqual(histogramFraction(-Infinity, Infinity, withNaN), { value: 0.5, excludesNaN: true });
});

test("average and variance", () => {
  const histogram = h("count:4 sum:10 z_bucket:1 z_bucket_w:1 offset:1 buckets:[2] n_offset:1 n_buckets:[1]");
  assert.equal(histogramAverage(histogram), 2.5);
  const expected = (2.5 ** 2 + 2 * (Math.SQRT2 - 2.5) ** 2 + (-Math.SQRT2 - 2.5) ** 2) / 4;
  assert.ok(Math.abs(histogramVariance(histogram) - expected) < 1e-14);
  const custom = h("schema:-53 count:2 sum:10 custom_values:[4 6] buckets:[0 2]");
  assert.equal(histogramVariance(custom), 0);
});

test("trimming keeps what lies on one side", () => {
  const histogram = h("count:8 sum:20 buckets:[2 2 4]");
  assertEqual(
    trimHistogramAbove(histogram, 2),
    h(`count:4 sum:${2 * Math.SQRT1_2 + 2 * Math.SQRT2} buckets:[2 2]`),
  );
  assertEqual(trimHistogramBelow(histogram, 2), h(`count:4 sum:${4 * Math.sqrt(8)} offset:2 buckets:[4]`));
  assert.equal(trimHistogramAbove(histogram, 4), histogram);
  assert.equal(trimHistogramBelow(histogram, 0), histogram);
  const custom = h("schema:-53 count:6 sum:30 custom_values:[4 8] buckets:[2 2 2]");
  assertEqual(trimHistogramAbove(custom, 6), h("schema:-53 count:3 sum:9 custom_values:[4 8] buckets:[2 1]"));
  assertEqual(
    trimHistogramBelow(custom, 9),
    h("schema:-53 count:2 sum:18 custom_values:[4 8] buckets:[0 0 2]"),
  );
  fc.assert(
    fc.property(both, fc.double({ min: -50, max: 50, noNaN: true }), (histogram, limit) => {
      const below = trimHistogramAbove(histogram, limit);
      const above = trimHistogramBelow(histogram, limit);
      assert.ok(below.count >= 0 && below.count <= histogram.count);
      if (histogram.schema !== -53)
        assert.ok(Math.abs(below.count + above.count - histogram.count) < 1e-6 * (1 + histogram.count));
    }),
  );
});

test("unsound histograms are refused in upstream's words", () => {
  const cases: [body: string, message: string | RegExp][] = [
    ["count:-1", "observation count is  -1: histogram's observation count is negative"],
    ["buckets:[1 -2]", /^positive side: bucket number 2 has observation count of -2: histogram has a bucket/],
    ["n_buckets:[-1]", /^negative side: bucket number 1 has observation count of -1/],
    ["z_bucket:-1", /^zero bucket has observation count of -1/],
    ["custom_values:[1]", "histogram with exponential schema must not have custom bounds"],
    [
      "schema:9",
      /must be between -4 and 8 for exponential buckets, or -53 for custom buckets, got schema 9$/,
    ],
    ["schema:-53 custom_values:[1] buckets:[1 1 1]", /^custom buckets: only 1 custom bounds defined which/],
    [
      "schema:-53 custom_values:[2 1]",
      /^custom buckets: previous bound is 2.000000 and current is 1.000000: /,
    ],
    ["schema:-53 custom_values:[inf]", /^custom buckets: last \+Inf bound must not be explicitly defined: /],
    ["schema:-53 custom_values:[nan]", /NaN$/],
    ["schema:-53 z_bucket:1", "custom buckets: must have zero count of 0"],
    ["schema:-53 z_bucket_w:1", "custom buckets: must have zero threshold of 0"],
    ["schema:-53 n_buckets:[1]", "custom buckets: must not have negative spans"],
  ];
  for (const [body, message] of cases)
    assert.throws(() => validateFloatHistogram(h(body)), { code: "bad_data", message });
  validateFloatHistogram(h("count:1 buckets:[5]"));
  assert.throws(() => validateIntegerHistogram(h("count:1 buckets:[5]")), {
    message:
      "5 observations found in buckets, but the Count field is 1: " +
      "histogram's observation count should equal the number of observations found in the buckets (in absence of NaN)",
  });
  validateIntegerHistogram(h("count:6 sum:NaN buckets:[5]"));
  assert.equal(histogramBytes(h("count:6 buckets:[5]")), 168 + 8 + 8);
});

test("a classic histogram becomes one with custom buckets", () => {
  const classic = new ClassicHistogram();
  for (const [bound, count] of [
    [10, 7],
    [5, 2],
    [5, 9],
  ] as const)
    classic.setBucket(bound, count);
  classic.setSum(30);
  classic.setCount(9);
  const { histogram, isFloat } = classic.convert();
  assert.equal(isFloat, false);
  assertEqual(histogram, h("schema:-53 count:9 sum:30 custom_values:[5 10] buckets:[2 5 2]"));
  const fractional = new ClassicHistogram();
  fractional.setBucket(1, 0.5);
  fractional.setBucket(Infinity, 0.5);
  assert.equal(fractional.convert().isFloat, true);
  classic.setCount(1);
  assert.throws(() => classic.convert(), { message: "count is not cumulative: 1 < 7" });
  assert.throws(() => classic.setBucket(NaN, 1), { code: "bad_data" });
});
