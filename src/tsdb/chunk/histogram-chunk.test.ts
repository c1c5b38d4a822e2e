import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ChunkDamagedError } from "../../kernel/index.ts";
import {
  addHistograms,
  compactHistogram,
  createHistogram,
  divideHistogram,
  equalHistograms,
  formatNotation,
  type Histogram,
  histogramBytes,
  parseHistogram,
  staleHistogram,
} from "../../model/index.ts";
import { customHistograms, exponentialHistograms } from "../../model/histogram/testing.ts";
import type { HistogramNeed, StoredHistogram } from "../../storage/index.ts";
import { BitReader, BitWriter } from "./bit-stream.ts";
import { HistogramChunk } from "./histogram-chunk.ts";
import { decodeHistogramChunk } from "./histogram-decode.ts";
import type { HistogramEncoding } from "./histogram-encoding.ts";
import { readVarbitInt, readVarbitUint, writeVarbitInt, writeVarbitUint } from "./varbit.ts";
import { XorValue } from "./xor-value.ts";

const encodings: readonly HistogramEncoding[] = [2, 3, 5, 6];

function isFloat(encoding: HistogramEncoding): boolean {
  return encoding === 3 || encoding === 6;
}

function h(body: string): Histogram {
  return parseHistogram(body).histogram;
}

function decode(chunk: HistogramChunk): { timestampMs: number; histogram: Histogram }[] {
  return [...decodeHistogramChunk(chunk.encoding, chunk.bytes())];
}

function assertEqual(actual: Histogram, expected: Histogram): void {
  const isEqual = equalHistograms(compactHistogram(actual), compactHistogram(expected));
  assert.ok(isEqual, `${formatNotation(actual)} is not ${formatNotation(expected)}`);
}

test("whole numbers of every size", () => {
  const whole = fc.oneof(
    fc.maxSafeInteger(),
    fc.integer({ min: -5000, max: 5000 }),
    fc.constantFrom(4, -3, 5, -4, 2 ** 55),
  );
  fc.assert(
    fc.property(fc.array(whole), (values) => {
      const bits = new BitWriter();
      for (const value of values) {
        writeVarbitInt(bits, value);
        writeVarbitUint(bits, Math.abs(value));
      }
      const reader = new BitReader(bits.bytes());
      for (const value of values) {
        assert.equal(readVarbitInt(reader), value);
        assert.equal(readVarbitUint(reader), Math.abs(value));
      }
    }),
  );
  const sizeOf = (value: number): number => {
    const bits = new BitWriter();
    writeVarbitInt(bits, value);
    bits.writeBits(0, 8);
    return 8 * bits.byteLength - 8;
  };
  assert.deepEqual(
    [0, 4, 5, 33, 257, 2049, 131073, 16777217, 2 ** 55 + 8].map(sizeOf),
    [8, 8, 16, 16, 24, 24, 32, 64, 72],
  );
});

test("doubles by what has changed", () => {
  const number = fc.oneof(
    fc.double(),
    fc.nat().map((value) => value / 4),
    fc.constant(1),
  );
  fc.assert(
    fc.property(fc.array(number, { minLength: 1 }), ([first, ...rest]) => {
      const bits = new BitWriter();
      const writer = new XorValue();
      writer.writeFirst(bits, first!);
      for (const value of rest) writer.writeNext(bits, value);
      const stream = new BitReader(bits.bytes());
      const reader = new XorValue();
      reader.readFirst(stream);
      assert.equal(reader.value, first);
      for (const value of rest) {
        reader.readNext(stream);
        assert.equal(reader.value, value);
      }
    }),
  );
});

for (const encoding of encodings) {
  test(`encoding ${encoding}: who needs less gets what is left of the whole`, () => {
    const scrapes = fc.array(fc.nat({ max: 6 }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(
        scrapes,
        fc.integer({ min: 1, max: 5 }),
        fc.boolean(),
        (growths, stepSeconds, endsStale) => {
          const chunk = new HistogramChunk(encoding);
          let count = 0;
          growths.forEach((growth, i) => {
            count += growth;
            chunk.append(1000 * i, h(`count:${count} sum:${count} buckets:[${count}]`), i);
          });
          if (endsStale) chunk.append(1000 * growths.length, staleHistogram);
          const whole = [...decodeHistogramChunk(encoding, chunk.bytes())];
          const isWanted = (timestampMs: number, nextMs: number): boolean =>
            Math.ceil(timestampMs / (1000 * stepSeconds)) * 1000 * stepSeconds < nextMs;
          const expected = whole.filter(
            ({ timestampMs, histogram }, i) =>
              histogram.isStale || isWanted(timestampMs, whole[i + 1]?.timestampMs ?? Infinity),
          );
          const decoded = (need: HistogramNeed): StoredHistogram[] => [
            ...decodeHistogramChunk(encoding, chunk.bytes(), undefined, need),
          ];
          assert.deepEqual(decoded({ isWanted }), expected);
          const shapeOf = ({ histogram, ...sample }: StoredHistogram): object => ({
            ...sample,
            isStale: histogram.isStale,
            bytes: histogramBytes(histogram),
          });
          assert.deepEqual(decoded({ isWanted, shapeOnly: true }).map(shapeOf), expected.map(shapeOf));
        },
      ),
    );
  });

  test(`encoding ${encoding}: what is appended is read back`, () => {
    const scrapes = fc.array(fc.oneof(exponentialHistograms, customHistograms), {
      minLength: 1,
      maxLength: 6,
    });
    fc.assert(
      fc.property(scrapes, fc.boolean(), fc.nat(1e6), (histograms, isCounter, startMs) => {
        let chunk = new HistogramChunk(encoding);
        let expected: { timestampMs: number; histogram: Histogram }[] = [];
        let timestampMs = startMs;
        histograms.forEach((original, i) => {
          timestampMs += 15_000 + (i % 3);
          let histogram: Histogram = isFloat(encoding) ? divideHistogram(original, 3) : original;
          histogram = { ...histogram, counterReset: isCounter ? "unknown" : "gauge" };
          const outcome = chunk.append(timestampMs, histogram);
          if (typeof outcome === "object") {
            chunk = new HistogramChunk(encoding, outcome.nextHeader);
            expected = [];
            assert.equal(chunk.append(timestampMs, histogram), "appended");
          }
          expected.push({ timestampMs, histogram });
        });
        const samples = decode(chunk);
        assert.equal(chunk.sampleCount, expected.length);
        assert.deepEqual(
          samples.map((sample) => sample.timestampMs),
          expected.map((sample) => sample.timestampMs),
        );
        samples.forEach(({ histogram }, i) => assertEqual(histogram, expected[i]!.histogram));
        assert.deepEqual(HistogramChunk.resume(encoding, chunk.bytes()).bytes(), chunk.bytes());
      }),
    );
  });

  test(`encoding ${encoding}: a counter that counts on stays in its chunk`, () => {
    fc.assert(
      fc.property(
        exponentialHistograms,
        fc.array(exponentialHistograms, { maxLength: 5 }),
        (first, steps) => {
          const chunk = new HistogramChunk(encoding);
          let total: Histogram = { ...first, counterReset: "unknown" };
          chunk.append(0, total);
          const totals = [total];
          for (const step of steps) {
            const { schema, zeroThreshold } = first;
            const { positive, negative, sum } = step;
            const grown = addHistograms(
              total,
              createHistogram({ schema, zeroThreshold, positive, negative, sum }),
            ).histogram;
            const count = [...grown.positive.counts, ...grown.negative.counts].reduce(
              (a, b) => a + b,
              grown.zeroCount,
            );
            total = { ...grown, counterReset: "unknown", count };
            assert.ok(typeof chunk.append(1000 * totals.length, total) === "string");
            totals.push(total);
          }
          decode(chunk).forEach(({ histogram }, i) => assertEqual(histogram, totals[i]!));
          assert.equal(chunk.append(1e6, staleHistogram), "appended");
          assert.equal(decode(chunk).at(-1)!.histogram.isStale, true);
          assert.deepEqual(chunk.append(1e6 + 1, total), { nextHeader: "unknown" });
          assert.deepEqual(HistogramChunk.resume(encoding, chunk.bytes()).bytes(), chunk.bytes());
        },
      ),
    );
  });

  test(`encoding ${encoding}: what begins a new chunk`, () => {
    const cases: [before: string, after: string, outcome: string][] = [
      ["count:3 buckets:[1 2]", "count:4 buckets:[1 3]", "appended"],
      ["count:3 buckets:[1 2]", "count:4 buckets:[1 2 1]", "recoded"],
      ["count:2 buckets:[0 2]", "count:4 offset:1 buckets:[4]", "appended"],
      ["count:2 buckets:[0 2]", "count:4 offset:1 buckets:[3 1]", "recoded"],
      ["count:3 buckets:[1 2]", "count:2 buckets:[1 1]", "reset"],
      ["count:3 buckets:[1 2]", "count:4 buckets:[2 1 1]", "reset"],
      ["count:3 buckets:[1 2]", "count:4 buckets:[4]", "reset"],
      ["count:3 z_bucket:3", "count:4 z_bucket:2 buckets:[2]", "reset"],
      ["count:3", "count:4 counter_reset_hint:reset", "reset"],
      ["count:3", "count:4 schema:1", "unknown"],
      ["count:3", "count:4 z_bucket_w:0.5", "unknown"],
      ["count:3 schema:-53 custom_values:[1]", "count:3 schema:-53 custom_values:[2]", "reset"],
      ["count:3", "count:4 counter_reset_hint:gauge", "gauge"],
      ["count:3 counter_reset_hint:gauge", "count:4", isFloat(encoding) ? "unknown" : "not_reset"],
      [
        "count:3 counter_reset_hint:gauge buckets:[3]",
        "count:2 counter_reset_hint:gauge n_buckets:[2]",
        "recoded",
      ],
      ["count:3 counter_reset_hint:gauge", "count:2 counter_reset_hint:gauge schema:1", "gauge"],
      ["count:3 counter_reset_hint:gauge buckets:[3]", "count:2 counter_reset_hint:gauge", "appended"],
    ];
    for (const [before, after, expected] of cases) {
      const chunk = new HistogramChunk(encoding);
      chunk.append(1, h(before));
      const outcome = chunk.append(2, h(after));
      assert.equal(
        typeof outcome === "string" ? outcome : outcome.nextHeader,
        expected,
        `${before} then ${after}`,
      );
      if (typeof outcome !== "string") continue;
      const [first, second] = decode(chunk);
      assertEqual(first!.histogram, h(before));
      assertEqual(second!.histogram, h(after));
      assert.equal(second!.histogram.counterReset, chunk.header === "gauge" ? "gauge" : "not_reset");
    }
  });

  test(`encoding ${encoding}: the header of a chunk that goes on`, () => {
    const chunk = new HistogramChunk(encoding);
    assert.equal(chunk.headerAfter(h("count:3")), "unknown");
    chunk.append(1, h("count:3 buckets:[3]"));
    assert.equal(chunk.headerAfter(h("count:4 buckets:[4]")), "not_reset");
    assert.equal(chunk.headerAfter(h("count:2 buckets:[2]")), "reset");
    assert.equal(chunk.headerAfter(h("count:2 counter_reset_hint:gauge")), "gauge");
    assert.equal(
      chunk.headerAfter(h("count:4 schema:1 buckets:[4]")),
      isFloat(encoding) ? "not_reset" : "unknown",
    );
    const next = new HistogramChunk(encoding, "not_reset");
    next.append(2, h("count:4 buckets:[4]"));
    assert.equal(next.bytes()[encoding < 5 ? 2 : 0], 0x40);
    assert.equal(HistogramChunk.resume(encoding, next.bytes()).header, "not_reset");
  });

  test(`encoding ${encoding}: damaged bytes end in a typed error or in histograms`, () => {
    const chunk = new HistogramChunk(encoding);
    chunk.append(1, h("count:30 sum:5 z_bucket:3 z_bucket_w:0.001 buckets:[1 2 3 4] n_buckets:[5 12]"));
    for (let t = 2; t < 9; t++)
      chunk.append(
        t * 1000,
        h(
          `count:${30 + t} sum:${t / 7} z_bucket:3 z_bucket_w:0.001 buckets:[1 2 ${3 + t} 4] n_buckets:[5 12]`,
        ),
      );
    const bytes = chunk.bytes();
    const read = (damaged: Uint8Array): void => {
      try {
        for (const { histogram } of decodeHistogramChunk(encoding, damaged))
          assert.equal(typeof histogram.count, "number");
      } catch (error) {
        assert.ok(error instanceof ChunkDamagedError, String(error));
      }
    };
    for (let length = 0; length < bytes.length; length++) read(bytes.subarray(0, length));
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1 }), (changes) => {
        const damaged = bytes.slice();
        for (const [at, value] of changes) damaged[at] = value;
        read(damaged);
      }),
    );
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), read), { numRuns: 500 });
  });
}

test("start timestamps, before and after a chunk is written anew", () => {
  for (const encoding of [5, 6] as const) {
    const chunk = new HistogramChunk(encoding);
    const starts = [7, 7, 7, 0, 9, 9];
    starts.forEach((startMs, i) => {
      const buckets = i < 4 ? "[1]" : "[1 1]";
      chunk.append(1000 + i * 15_000, h(`count:${2 + i} z_bucket:${1 + i} buckets:${buckets}`), startMs);
    });
    const samples = [...decodeHistogramChunk(encoding, chunk.bytes())];
    assert.deepEqual(
      samples.map(({ startTimestampMs }) => startTimestampMs),
      starts,
    );
    assert.equal(samples.length, 6);
    assert.equal(chunk.bytes()[2], 0x80 | 3);
    assert.deepEqual(HistogramChunk.resume(encoding, chunk.bytes()).bytes(), chunk.bytes());
  }
});
