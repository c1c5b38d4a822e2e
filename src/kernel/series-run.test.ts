import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import {
  type Kernel,
  layout,
  runSeries,
  type SeriesRun,
  staleMarkerBits,
  takesNoArguments,
  type WindowFunctionName,
  windowFunction,
} from "./index.ts";
import { bitsOf, getColumns, putColumns, type Sample, testKernel } from "./testing.ts";

const startMs = 1_700_000_000_000;
const samplesPerChunk = 10;

const bits = fc.oneof(fc.integer({ min: 0, max: 50 }).map(bitsOf), fc.constant(staleMarkerBits));
const manySeries = fc.array(
  fc.array(fc.tuple(fc.constantFrom(1000, 1000, 15_000), bits), { maxLength: 60, size: "max" }),
  { minLength: 1, maxLength: 12 },
);

/** Series 1, 2, … with these samples; the chunks of those in `foreign` are not the kernel's to read. */
function fill(
  kernel: Kernel,
  all: readonly (readonly (readonly [number, bigint])[])[],
  foreign: ReadonlySet<number>,
): Sample[][] {
  const batch = kernel.createSampleBatch(100);
  const labels = kernel.arena.allocate(16);
  const filled = all.map((steps, i) => {
    let t = startMs;
    const samples = steps.map(([stepMs, valueBits]) => ({ t: (t += stepMs), bits: valueBits }));
    kernel.series.create(i + 1, labels);
    // The first chunks of a series may be of one encoding, and the later ones of the other.
    const half = samples.length >> 1;
    for (const [part, some] of [samples.slice(0, half), samples.slice(half)].entries()) {
      kernel.floatEncoding = (i >> part) % 2 === 0 ? layout.chunkEncodingXor : layout.chunkEncodingXor2;
      batch.clear();
      for (const sample of some) batch.pushBits(i + 1, sample.t, sample.bits);
      batch.append({ samplesPerChunk });
    }
    if (foreign.has(i))
      for (const ptr of kernel.series.chunkPtrs(i + 1)) kernel.views.u8[ptr + layout.chunk.encoding] = 2;
    return samples;
  });
  batch.close();
  return filled;
}

function allocateRun(kernel: Kernel, seriesMax: number, capacity: number): SeriesRun {
  const { scratch, views } = kernel;
  const tablePtr = scratch.allocate(seriesMax * runSeries.bytes);
  for (let i = 0; i < seriesMax; i++) views.u32[(tablePtr + i * runSeries.bytes) >>> 2] = i + 1;
  const [timestamps, values] = [scratch.allocate(8 * capacity), scratch.allocate(8 * capacity)];
  return { tablePtr, seriesMax, timestamps, values, capacity };
}

function samplesOf(kernel: Kernel, { tablePtr, timestamps, values }: SeriesRun, series: number): Sample[] {
  const entry = (tablePtr + series * runSeries.bytes) >>> 2;
  const first = kernel.views.u32[entry + runSeries.first / 4]!;
  const count = kernel.views.u32[entry + runSeries.samples / 4]!;
  return getColumns(kernel, timestamps + 8 * first, values + 8 * first, count);
}

const noFiles = { ptr: 0, count: 0 };

test("a run has the samples of its series, until there is no room or one is not the kernel's", () => {
  fc.assert(
    fc.property(
      manySeries,
      fc.array(fc.nat({ max: 11 }), { maxLength: 2 }),
      fc.nat({ max: 400 }),
      fc.nat({ max: 300_000 }),
      fc.nat({ max: 600_000 }),
      fc.boolean(),
      (all, foreign, capacity, from, length, dropStale) => {
        const kernel = testKernel();
        const filled = fill(kernel, all, new Set(foreign));
        const run = allocateRun(kernel, all.length, capacity);
        const [minMs, maxMs] = [startMs + from, startMs + from + length];
        const count = kernel.decodeSeriesRun(run, all.length, minMs, maxMs, dropStale, noFiles);
        let used = 0;
        for (let i = 0; i < count; i++) {
          const expected = filled[i]!.filter(
            (sample) =>
              sample.t >= minMs && sample.t <= maxMs && !(dropStale && sample.bits === staleMarkerBits),
          );
          used += expected.length;
          assert.deepEqual(samplesOf(kernel, run, i), expected);
        }
        assert.ok(used <= capacity);
        if (count === all.length) return;
        const isForeign =
          foreign.includes(count) && filled[count]!.some(({ t }) => t >= minMs - samplesPerChunk * 15_000);
        const needed = kernel.series.sampleCount(count + 1, minMs, maxMs);
        const whole = filled.slice(0, count + 1).reduce((sum, samples) => sum + samples.length, 0);
        assert.ok(isForeign || (needed > 0 && whole > capacity), "the run ended for no reason");
      },
    ),
    { numRuns: 100 },
  );
});

test("rows of a run are those of its series one by one", () => {
  const names = Object.keys(windowFunction) as WindowFunctionName[];
  fc.assert(
    fc.property(
      manySeries,
      fc.constantFrom(...names.filter(takesNoArguments)),
      fc.constantFrom(1000, 7000, 60_000),
      fc.integer({ min: 1, max: 30 }),
      fc.nat({ max: 200_000 }),
      (all, name, rangeMs, steps, from) => {
        const kernel = testKernel();
        const { f64, u8 } = kernel.views;
        const filled = fill(kernel, all, new Set());
        const run = allocateRun(kernel, all.length, 2000);
        const look = { startMs: startMs + from, stepMs: 5000, count: steps };
        const rows = all.length + 1;
        const out = {
          valuesPtr: kernel.scratch.allocate(rows * steps * 8),
          presentPtr: kernel.scratch.allocate(rows * steps),
        };
        for (const isWindow of [true, false]) {
          const read = kernel.decodeSeriesRun(run, all.length, 0, Infinity, isWindow, noFiles);
          assert.equal(read, all.length);
          if (isWindow) kernel.windowRun(name, run, all.length, look, rangeMs, out);
          else kernel.selectInstantRun(run, all.length, look, rangeMs, out);
          const alone = {
            valuesPtr: out.valuesPtr + all.length * steps * 8,
            presentPtr: out.presentPtr + all.length * steps,
          };
          filled.forEach((samples, i) => {
            const kept = isWindow ? samples.filter((sample) => sample.bits !== staleMarkerBits) : samples;
            const columns = putColumns(kernel, kept);
            if (isWindow) kernel.window(name, columns, look, rangeMs, alone);
            else kernel.selectInstant(columns, look, rangeMs, alone);
            for (let step = 0; step < steps; step++) {
              const at = i * steps + step;
              assert.equal(u8[out.presentPtr + at], u8[alone.presentPtr + step]);
              if (u8[out.presentPtr + at] === 0) continue;
              assert.equal(f64[out.valuesPtr / 8 + at], f64[alone.valuesPtr / 8 + step]);
            }
          });
        }
      },
    ),
    { numRuns: 100 },
  );
});

/** src/tsdb/head/text-hash.ts, as a function of 32-bit numbers. */
function combineHashTwin(hash: number, textHash: number): number {
  const finish = (value: number): number => {
    let mixed = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
    return (mixed ^ (mixed >>> 16)) >>> 0;
  };
  return finish(Math.imul(hash, 31) + textHash);
}

test("series are kept by their share and their times", () => {
  const kernel = testKernel();
  const { u32 } = kernel.views;
  const symbols = Array.from({ length: 20 }, (_, i) => {
    const symbol = kernel.arena.allocate(32) + 8;
    u32[(symbol - 8) >>> 2] = Math.imul(i + 1, 0x9e3779b1) >>> 0;
    return symbol;
  });
  const hashOf = (symbol: number): number => u32[(symbol - 8) >>> 2]!;
  const batch = kernel.createSampleBatch(100);
  const labelsOf = new Map<number, number>();
  let last = 0;
  const pairs = fc.array(fc.tuple(fc.nat({ max: 9 }), fc.integer({ min: 10, max: 19 })), { maxLength: 6 });
  fc.assert(
    fc.property(
      fc.array(fc.tuple(pairs, fc.integer({ min: 0, max: 30 })), { minLength: 1, maxLength: 8 }),
      fc.integer({ min: 1, max: 3 }),
      fc.nat({ max: 40 }),
      fc.nat({ max: 20 }),
      fc.boolean(),
      (all, count, fromSecond, seconds, isAnyTime) => {
        const range = { minTimestampMs: 1000 * fromSecond, maxTimestampMs: 1000 * (fromSecond + seconds) };
        const refs = all.map(([labels, samples]) => {
          const ptr = kernel.arena.allocate(8 + 8 * labels.length);
          u32[(ptr >>> 2) + 1] = labels.length;
          labels.forEach(([name, value], i) => {
            u32[(ptr >>> 2) + 2 + 2 * i] = symbols[name]!;
            u32[(ptr >>> 2) + 3 + 2 * i] = symbols[value]!;
          });
          kernel.series.create(++last, ptr);
          labelsOf.set(last, ptr);
          batch.clear();
          for (let i = 0; i < samples; i++) batch.push(last, 1000 * i, i);
          batch.append();
          return last;
        });
        const describing = [symbols[0]!, symbols[1]!, 0] as const;
        const wanted = [...refs, last + 1, 0];
        const ptr = kernel.scratch.allocate(12 * wanted.length);
        u32.set(wanted, ptr >>> 2);
        const [refsOut, labelsOut] = [ptr + 4 * wanted.length, ptr + 8 * wanted.length];
        for (let index = 0; index < count; index++) {
          const share = { index, count, describing };
          const time = isAnyTime ? undefined : range;
          const kept = kernel.series.filter(ptr, wanted.length, share, time, refsOut, labelsOut);
          const expected = refs.filter((_, i) => {
            const [labels, samples] = all[i]!;
            const others = labels.filter(([name]) => name > 1).map(([name, value]) => [name, value] as const);
            const hash = others
              .flat()
              .reduce((sum, symbol) => combineHashTwin(sum, hashOf(symbols[symbol]!)), 0);
            // All samples are in one chunk.
            const isInRange = samples > 0 && range.minTimestampMs <= 1000 * (samples - 1);
            return hash % count === index && (isAnyTime || isInRange);
          });
          assert.deepEqual([...u32.subarray(refsOut >>> 2, (refsOut >>> 2) + kept)], expected);
          assert.deepEqual(
            [...u32.subarray(labelsOut >>> 2, (labelsOut >>> 2) + kept)],
            expected.map((ref) => labelsOf.get(ref)),
          );
        }
      },
    ),
    { numRuns: 100 },
  );
});
