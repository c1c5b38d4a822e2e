import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ChunkDamagedError } from "../../kernel/index.ts";
import { testKernel } from "../../kernel/testing.ts";
import {
  type Buckets,
  divideHistogram,
  type Histogram,
  parseHistogram,
  staleHistogram,
} from "../../model/index.ts";
import { customHistograms, exponentialHistograms } from "../../model/histogram/testing.ts";
import type { HistogramNeed, StoredHistogram } from "../../storage/index.ts";
import { HistogramChunk } from "./histogram-chunk.ts";
import { decodeHistogramChunk } from "./histogram-decode.ts";
import type { HistogramEncoding } from "./histogram-encoding.ts";
import { readHistogramChunk } from "./histogram-reader.ts";

const kernel = testKernel();
kernel.scratch.allocate(8);
const encodings: readonly HistogramEncoding[] = [2, 3, 5, 6];

/** What the plain decoder says, or that it says the chunk is damaged. */
function outcome(read: () => StoredHistogram[]): StoredHistogram[] | "damaged" {
  try {
    return read();
  } catch (error) {
    assert.ok(error instanceof ChunkDamagedError, String(error));
    return "damaged";
  }
}

/** The samples without what means nothing when their shape alone was asked for. */
function shapesOf(samples: StoredHistogram[]): StoredHistogram[] {
  const empty = ({ indices, counts }: Buckets): Buckets => ({ indices, counts: counts.map(() => 0) });
  return samples.map(({ histogram, ...sample }) => {
    const [positive, negative] = [empty(histogram.positive), empty(histogram.negative)];
    const numbers = { count: 0, zeroCount: 0, sum: 0, counterReset: "unknown" } as const;
    return { ...sample, histogram: { ...histogram, ...numbers, positive, negative } };
  });
}

function assertAlike(encoding: HistogramEncoding, bytes: Uint8Array, need?: HistogramNeed): void {
  const reservedBytes = kernel.scratch.mark();
  const seen = need?.shapeOnly === true ? shapesOf : (all: StoredHistogram[]) => all;
  assert.deepEqual(
    outcome(() => seen(readHistogramChunk(kernel, encoding, bytes, undefined, need))),
    outcome(() => seen([...decodeHistogramChunk(encoding, bytes, undefined, need)])),
  );
  assert.equal(kernel.scratch.mark(), reservedBytes);
}

/** Chunks of counters that grow, with numbers of all sizes, and of gauges; some end with markers. */
function chunks(encoding: HistogramEncoding): fc.Arbitrary<Uint8Array> {
  const isFloat = encoding === 3 || encoding === 6;
  const histograms = fc.array(fc.oneof(exponentialHistograms, customHistograms), {
    minLength: 1,
    maxLength: 4,
  });
  const growth = fc.array(fc.oneof(fc.nat(5), fc.nat(1e5), fc.nat(2 ** 40)), { minLength: 1, maxLength: 30 });
  const steps = fc.oneof(fc.constant(15_000), fc.integer({ min: 1, max: 2 ** 40 }));
  return fc
    .tuple(histograms, growth, fc.array(steps, { minLength: 1, maxLength: 5 }), fc.boolean(), fc.nat(2))
    .map(([all, growths, stepsMs, isGauge, markers]) => {
      const chunk = new HistogramChunk(encoding);
      let timestampMs = -5000;
      let factor = 1;
      const append = (histogram: Histogram): void => {
        timestampMs += stepsMs[chunk.sampleCount % stepsMs.length]!;
        chunk.append(timestampMs, histogram, timestampMs - 7);
      };
      growths.forEach((by, i) => {
        factor += by;
        const histogram = grown(all[isGauge ? i % all.length : 0]!, factor, isFloat);
        append({ ...histogram, counterReset: isGauge ? "gauge" : "unknown" });
      });
      for (let i = 0; i < markers; i++) append(staleHistogram);
      return chunk.bytes();
    });
}

function grown(histogram: Histogram, factor: number, isFloat: boolean): Histogram {
  const scaled = divideHistogram(histogram, 1 / factor);
  if (isFloat) return divideHistogram(scaled, 3);
  const whole = (value: number): number => Math.min(Math.round(value), 2 ** 50);
  const { positive, negative, count, zeroCount } = scaled;
  return {
    ...scaled,
    count: whole(count),
    zeroCount: whole(zeroCount),
    positive: { ...positive, counts: positive.counts.map(whole) },
    negative: { ...negative, counts: negative.counts.map(whole) },
  };
}

for (const encoding of encodings) {
  test(`encoding ${encoding}: read as the plain decoder reads it`, () => {
    fc.assert(
      fc.property(chunks(encoding), fc.integer({ min: 1, max: 60_000 }), (bytes, wantedMs) => {
        const isWanted = (timestampMs: number, nextMs: number): boolean =>
          Math.ceil(timestampMs / wantedMs) * wantedMs < nextMs;
        assertAlike(encoding, bytes);
        assertAlike(encoding, bytes, { isWanted });
        assertAlike(encoding, bytes, { isWanted, shapeOnly: true });
      }),
      { numRuns: 300 },
    );
  });

  test(`encoding ${encoding}: damaged as the plain decoder says`, () => {
    fc.assert(
      fc.property(
        chunks(encoding),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3 }),
        fc.nat(),
        (bytes, changes, cut) => {
          // The count stays, and so does the layout: with fewer bits than it asks for, every sample is damaged.
          const damaged = bytes.slice(0, Math.max(3, bytes.length - (cut % 10)));
          for (const [at, value] of changes) damaged[3 + (at % Math.max(1, damaged.length - 3))] = value;
          const plain = outcome(() => [...decodeHistogramChunk(encoding, damaged)]);
          const read = outcome(() => readHistogramChunk(kernel, encoding, damaged));
          if (isExact(plain)) assertAlike(encoding, damaged, { shapeOnly: true });
          if (isExact(plain)) assert.deepEqual(read, plain);
          else assert.equal(read === "damaged", plain === "damaged");
        },
      ),
      { numRuns: 500 },
    );
  });
}

/** Whether all numbers are such as the plain decoder adds up without rounding. */
function isExact(samples: StoredHistogram[] | "damaged"): boolean {
  if (samples === "damaged") return true;
  return samples.every(({ timestampMs, histogram: { count, zeroCount, positive, negative } }) =>
    [timestampMs, count, zeroCount, ...positive.counts, ...negative.counts].every(
      (value) => Math.abs(value) < 2 ** 46,
    ),
  );
}

test("a chunk of many markers is not much larger than its bytes", () => {
  const chunk = new HistogramChunk(2);
  const { histogram } = parseHistogram(`count:60 buckets:[${Array.from({ length: 60 }, () => 1).join(" ")}]`);
  chunk.append(0, histogram);
  for (let i = 1; i < 50; i++) chunk.append(i, staleHistogram);
  assertAlike(2, chunk.bytes());
});
