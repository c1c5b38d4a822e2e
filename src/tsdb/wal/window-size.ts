import type { Kernel, SampleBatch } from "../../kernel/index.ts";

/** Samples gathered per series on average, as far as the bounds below allow. */
const samplesPerSeries = 16;
export const samplesMin = 16_384;
const samplesMax = 1024 * 1024;
/** The batches and the table of their order take at most this part of the shared memory, at so many bytes per sample. */
const memoryShare = 16;
const batchSampleBytes = 21;
const tableSampleBytes = 16;
/** Refs may spread over so many numbers per sample, or altogether, to be worth sorting. */
const refsPerSampleMax = 4;
const positionsMin = 16_384;

/** How many samples are to be gathered before they are ordered, in so many batches. */
export function windowSamples(kernel: Kernel, batches: number): number {
  const sampleBytes = batches * batchSampleBytes + tableSampleBytes;
  const shareMax = Math.floor(kernel.usage().limitBytes / memoryShare / sampleBytes);
  const wanted = Math.max(kernel.series.count * samplesPerSeries, samplesMin);
  return Math.min(wanted, samplesMax, shareMax);
}

/** Calls with a table for ordering these samples; it is there until that returns. */
export function orderTable<T>(
  kernel: Kernel,
  { count: samples }: SampleBatch,
  use: (positions: { ptr: number; count: number }) => T,
): T {
  const { scratch } = kernel;
  const mark = scratch.mark();
  const count = Math.max(samples * refsPerSampleMax, positionsMin);
  try {
    return use({ ptr: scratch.allocate(4 * count), count });
  } finally {
    scratch.release(mark);
  }
}
