/** A reader thread of the isolation test: looks at all series for as long as it lives, and counts how often they are not of one commit. */
import { workerData } from "node:worker_threads";
import { attachKernel, type KernelHandle, layout } from "../kernel/index.ts";
import { createHeadQueryable } from "./index.ts";

export interface IsolationStart {
  kernel: KernelHandle;
  series: number;
  /** For all readers: { queries, halves, halves without a snapshot, queries during which commits were published }. */
  counters: Uint32Array;
}

const { kernel: handle, series: seriesCount, counters } = workerData as IsolationStart;
const kernel = attachKernel(handle);
const queryable = createHeadQueryable(kernel);
const maxTimestampMs = Number.MAX_SAFE_INTEGER;
/** What is looked at of the past, so that a query takes no longer the more there is; the test's steps are a second. */
const windowMs = 60_000;
const capacity = 100_000;
const timestamps = kernel.scratch.allocate(8 * capacity);
const columns = { timestamps, values: kernel.scratch.allocate(8 * capacity), capacity };

for (;;) query();

/** The test appends to each series in each commit, so that all have the same newest time or are not of one commit. */
function query(): void {
  const minTimestampMs = Math.max(kernel.views.f64[layout.headWord.maxTimeMs / 8]! - windowMs, 0);
  const querier = queryable.querier(minTimestampMs, maxTimestampMs);
  const set = querier.select([], { minTimestampMs, maxTimestampMs }, false);
  const seen = new Set<number>();
  for (let i = 0; i < set.length; i++)
    seen.add(newestMs(set.read(i, minTimestampMs, maxTimestampMs, false, columns)));
  const raw = new Set<number>();
  // From there on, so that what was seen is mostly still in memory.
  const fromMs = Math.max(...seen);
  for (let ref = 1; ref <= seriesCount; ref++) raw.add(newestMs(decode(ref, fromMs)));
  const isMeanwhile = [...raw].some((timestampMs) => !seen.has(timestampMs));
  [true, seen.size > 1, raw.size > 1, isMeanwhile].forEach((isSo, i) => {
    if (isSo) Atomics.add(counters, i, 1);
  });
  querier.close();
}

/** What a reader would see that does not care. */
function decode(ref: number, minTimestampMs: number): number {
  return kernel.decodeSeries(
    ref,
    minTimestampMs,
    maxTimestampMs,
    false,
    timestamps,
    columns.values,
    capacity,
  );
}

function newestMs(count: number): number {
  return count <= 0 ? 0 : kernel.views.f64[timestamps / 8 + count - 1]!;
}
