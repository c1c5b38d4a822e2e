import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createHistogram, divideHistogram, type Histogram } from "../../model/index.ts";
import { customHistograms, exponentialHistograms, histogramJson } from "../../model/histogram/testing.ts";
import { ByteWriter } from "./byte-writer.ts";
import { HistogramWriter } from "./histogram-writer.ts";

function written(writer: HistogramWriter, histogram: Histogram): string {
  const out = new ByteWriter();
  writer.write(out, histogram);
  return Buffer.from(out.finish()).toString();
}

test("histograms, one after the other, equal the plain twin", () => {
  const any = fc.oneof(exponentialHistograms, customHistograms);
  fc.assert(
    fc.property(fc.array(fc.tuple(any, fc.constantFrom(1, 3, 1e9)), { maxLength: 8 }), (histograms) => {
      const writer = new HistogramWriter();
      for (const [original, divisor] of histograms) {
        const histogram = divideHistogram(original, divisor);
        // Twice: what was remembered is as good as what is new.
        for (let i = 0; i < 2; i++)
          assert.equal(written(writer, histogram), JSON.stringify(histogramJson(histogram)));
      }
    }),
  );
});

test("a bucket that reaches into the zero bucket, and numbers that are none", () => {
  const writer = new HistogramWriter();
  for (const zeroThreshold of [0.5, 0.75, 1.5]) {
    const histogram = createHistogram({
      zeroThreshold,
      zeroCount: 2,
      count: NaN,
      sum: -Infinity,
      positive: { indices: [0, 1, 2], counts: [1, 0, -0.5] },
      negative: { indices: [0, 3], counts: [1e-9, 1e21] },
    });
    assert.equal(written(writer, histogram), JSON.stringify(histogramJson(histogram)));
  }
});
