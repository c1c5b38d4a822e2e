import fc from "fast-check";
import {
  allBuckets,
  boundaryRule,
  type Buckets,
  createHistogram,
  exponentialBound,
  formatValue,
  type HistogramJson,
  type Histogram,
  parseHistogram,
  validateIntegerHistogram,
} from "../index.ts";

/** The histogram that the notation of test series describes. */
export function h(body: string): Histogram {
  return parseHistogram(body).histogram;
}

const side: fc.Arbitrary<Buckets> = fc
  .uniqueArray(fc.integer({ min: -12, max: 12 }), { maxLength: 8 })
  .map((indices) => indices.sort((a, b) => a - b))
  .chain((indices) =>
    fc.record({
      indices: fc.constant(indices),
      counts: fc.array(fc.nat({ max: 50 }), { minLength: indices.length, maxLength: indices.length }),
    }),
  );

/** Sound integer histograms of exponential schemas: no bucket reaches into the zero bucket. */
export const exponentialHistograms: fc.Arbitrary<Histogram> = fc
  .record({
    schema: fc.integer({ min: -4, max: 8 }),
    zeroThreshold: fc.constantFrom(0, 2 ** -128, 0.5, 1),
    zeroCount: fc.nat({ max: 9 }),
    sum: fc.integer({ min: -1e6, max: 1e6 }),
    counterReset: fc.constantFrom("unknown", "reset", "not_reset", "gauge"),
    positive: side,
    negative: side,
  })
  .map(({ positive, negative, ...fields }) =>
    counted(
      createHistogram({
        ...fields,
        positive: outsideZero(positive, fields),
        negative: outsideZero(negative, fields),
      }),
    ),
  );

function outsideZero(
  { indices, counts }: Buckets,
  { schema, zeroThreshold }: { schema: number; zeroThreshold: number },
): Buckets {
  const isOutside = (index: number): boolean => exponentialBound(index - 1, schema) >= zeroThreshold;
  return { indices: indices.filter(isOutside), counts: counts.filter((_, i) => isOutside(indices[i]!)) };
}

/** Sound integer histograms with custom buckets. */
export const customHistograms: fc.Arbitrary<Histogram> = fc
  .uniqueArray(fc.integer({ min: -5, max: 20 }), { minLength: 1, maxLength: 8 })
  .map((bounds) => bounds.sort((a, b) => a - b))
  .chain((customBounds) =>
    fc
      .record({
        sum: fc.integer({ min: -1e6, max: 1e6 }),
        counts: fc.array(fc.nat({ max: 50 }), { maxLength: customBounds.length + 1 }),
      })
      .map(({ sum, counts }) =>
        counted(
          createHistogram({
            schema: -53,
            customBounds,
            sum,
            positive: { indices: counts.map((_, i) => i), counts },
          }),
        ),
      ),
  );

function counted(histogram: Histogram): Histogram {
  const { positive, negative, zeroCount } = histogram;
  const count = [...positive.counts, ...negative.counts].reduce((sum, value) => sum + value, zeroCount);
  const whole = { ...histogram, count };
  validateIntegerHistogram(whole);
  return whole;
}

/** What the HTTP API shows: the plain twin of what writes it. */
export function histogramJson(histogram: Histogram): HistogramJson {
  const { count, sum } = histogram;
  const json: HistogramJson = { count: formatValue(count), sum: formatValue(sum) };
  const populated = allBuckets(histogram).filter((bucket) => bucket.count !== 0);
  if (populated.length > 0) {
    json.buckets = populated.map((bucket) => [
      boundaryRule(bucket),
      formatValue(bucket.lower),
      formatValue(bucket.upper),
      formatValue(bucket.count),
    ]);
  }
  return json;
}
