/** A reader thread of the concurrency test: queries until told to stop, and checks what every state of the head must satisfy. */
import { parentPort, workerData } from "node:worker_threads";
import { attachKernel, type KernelHandle, layout } from "../kernel/index.ts";
import { compareStrings, Matcher } from "../model/index.ts";
import type { StoredHistogram } from "../storage/index.ts";
import { createHeadQueryable, headStats } from "./index.ts";

export interface ReaderReport {
  queries: number;
  samples: number;
  faults: string[];
}

const { handle, queries } = workerData as { handle: KernelHandle; queries: Int32Array };
const kernel = attachKernel(handle);
const queryable = createHeadQueryable(kernel);
const report: ReaderReport = { queries: 0, samples: 0, faults: [] };
const hints = { minTimestampMs: 0, maxTimestampMs: Number.MAX_SAFE_INTEGER };
const everything = [
  [],
  [new Matcher("=", "__name__", "lasting")],
  [new Matcher("=~", "pod", "pod-.*7")],
  [new Matcher("!=", "k", "3"), new Matcher("=~", "__name__", "passing|lasting")],
  [new Matcher("!~", "pod", "pod-[0-5].*")],
];
/** Histograms cost more to read: those of so long are. */
const histogramsMs = 600_000;
let isStopped = false;
parentPort!.once("message", () => (isStopped = true));

while (!isStopped) {
  for (const matchers of everything) query(matchers);
  headStats(kernel, 5);
  await new Promise((resolve) => setImmediate(resolve));
}
parentPort!.postMessage(report);

function query(matchers: Matcher[]): void {
  const querier = queryable.querier(hints.minTimestampMs, hints.maxTimestampMs);
  const mark = kernel.scratch.mark();
  try {
    const set = querier.select(matchers, hints, true);
    for (let series = 0; series < set.length; series++)
      check(set.labels(series).toString(), matchers, series, set);
    isSorted(querier.labelValues("pod", [], hints));
    isSorted(querier.labelNames(matchers, hints));
  } catch (error) {
    report.faults.push(String(error));
  } finally {
    kernel.scratch.release(mark);
    querier.close();
    report.queries++;
    Atomics.add(queries, kernel.readerSlot, 1);
  }
}

function check(
  text: string,
  matchers: Matcher[],
  series: number,
  set: ReturnType<ReturnType<typeof queryable.querier>["select"]>,
): void {
  const labels = set.labels(series);
  if (!matchers.every((matcher) => matcher.matches(labels.get(matcher.name))))
    fault(`${text} does not match`);
  if (series > 0 && set.labels(series - 1).compare(labels) >= 0) fault(`${text} is out of order`);
  // The writer may add samples between the two calls.
  const capacity = set.sampleCountMax(series, 0, hints.maxTimestampMs) + 500;
  const mark = kernel.scratch.mark();
  const timestamps = kernel.scratch.allocate(8 * capacity + 64);
  const values = kernel.scratch.allocate(8 * capacity + 64);
  const count = set.read(series, 0, hints.maxTimestampMs, false, { timestamps, values, capacity });
  const { f64 } = kernel.views;
  for (let i = 0; i < count; i++) {
    const timestampMs = f64[timestamps / 8 + i]!;
    if (i > 0 && timestampMs <= f64[timestamps / 8 + i - 1]!) fault(`${text} goes back in time`);
    if (f64[values / 8 + i] !== timestampMs % 1_000_003) fault(`${text} has a wrong value`);
  }
  report.samples += count;
  const recentMs = f64[layout.headWord.maxTimeMs / 8]! - histogramsMs;
  checkHistograms(text, set.readHistograms!(series, recentMs, hints.maxTimestampMs, false));
  kernel.scratch.release(mark);
}

function checkHistograms(text: string, samples: readonly StoredHistogram[]): void {
  let lastMs = 0;
  for (const { timestampMs, histogram } of samples) {
    const { count, sum: round, positive } = histogram;
    if (timestampMs <= lastMs) fault(`${text} goes back in time`);
    const full = positive.counts.filter((one) => one !== 0);
    if (full.length !== (round % 20) + 1 || full.some((one) => one !== round + 1))
      fault(`${text} has wrong buckets`);
    if (count !== full.length * (round + 1)) fault(`${text} has a wrong count`);
    lastMs = timestampMs;
  }
  report.samples += samples.length;
}

function isSorted(texts: readonly string[]): void {
  for (let i = 1; i < texts.length; i++)
    if (compareStrings(texts[i - 1]!, texts[i]!) >= 0) fault("names or values out of order");
}

function fault(message: string): void {
  if (report.faults.length < 20) report.faults.push(message);
}
