/** A reader thread of the isolation test: looks at all series until told to stop, and counts how often they are not of one commit. */
import { parentPort, workerData } from "node:worker_threads";
import { attachKernel, type Kernel, type KernelHandle } from "../kernel/index.ts";
import { createHeadQueryable } from "./index.ts";

export interface IsolationStart {
  kernel: KernelHandle;
  series: number;
  /** Counters, by `isolationCounter`. */
  counters: Uint32Array<SharedArrayBuffer>;
}

export const isolationCounter = {
  /** Queries that saw some series with a sample of a commit and some without. */
  halves: 0,
  /** As `halves`, of those who read the chunks without a snapshot. */
  halvesWithoutSnapshot: 1,
  /** Queries during which commits were published. */
  commitsMeanwhile: 2,
} as const;

if (parentPort) {
const kernel = attachKernel(handle);
const queryable = createHeadQueryable(kernel);
const samplesMax = 1_000_000;
const columns = columnsOf(kernel);
const report: IsolationReport = { queries: 0, halves: 0, halvesWithoutSnapshot: 0, commitsMeanwhile: 0 };
let isStopped = false;
parentPort!.once("message", () => (isStopped = true));

while (!isStopped) {
  query();
  await new Promise((resolve) => setImmediate(resolve));
}
parentPort!.postMessage(report);

/** The test appends to each series in each commit, so that all have the same newest time or are not of one commit. */
function query(): void {
  const range = { minTimestampMs: 0, maxTimestampMs: Number.MAX_SAFE_INTEGER };
  const querier = queryable.querier(range.minTimestampMs, range.maxTimestampMs);
  const set = querier.select([], range, false);
  const newest = new Set<number>();
  for (let i = 0; i < set.length; i++)
    newest.add(newestMs(set.read(i, range.minTimestampMs, range.maxTimestampMs, false, columns)));
  if (newest.size > 1) report.halves++;
  const raw = new Set<number>();
  for (let ref = 1; ref <= seriesCount; ref++) raw.add(newestMs(decode(ref)));
  if (raw.size > 1) report.halvesWithoutSnapshot++;
  if ([...raw].some((timestampMs) => !newest.has(timestampMs))) report.commitsMeanwhile++;
  report.queries++;
  querier.close();
}

function decode(ref: number): number {
  const { timestamps, values, capacity } = columns;
  return kernel.decodeSeries(ref, 0, Number.MAX_SAFE_INTEGER, false, timestamps, values, capacity);
}

function newestMs(count: number): number {
  return count === 0 ? 0 : kernel.views.f64[columns.timestamps / 8 + count - 1]!;
}

function columnsOf({ scratch }: Kernel): { timestamps: number; values: number; capacity: number } {
  const timestamps = scratch.allocate(8 * samplesMax);
  return { timestamps, values: scratch.allocate(8 * samplesMax), capacity: samplesMax };
}
