/** A reader thread of the stress test: asks for everything until told to stop, and compares with what there should be. */
import { parentPort, workerData } from "node:worker_threads";
import { systemDisk } from "../../base/index.ts";
import { attachKernel, type KernelHandle } from "../../kernel/index.ts";
import { createQueryable } from "../queryable.ts";
import { dump } from "../test-support.ts";

export interface StressStart {
  kernel: KernelHandle;
  directory: string;
  series: number;
  samplesPerSeries: number;
}

export interface StressReport {
  queries: number;
  faults: string[];
}

const { kernel: handle, directory, series, samplesPerSeries } = workerData as StressStart;
const kernel = attachKernel(handle);
const report: StressReport = { queries: 0, faults: [] };
const onLeftOut = (error: Error): void => void report.faults.push(error.message);
// A small cache, so that pages and offsets come and go.
const queryable = createQueryable({ kernel, disk: systemDisk, directory, cacheBytesMax: 100_000, onLeftOut });
let isStopped = false;
parentPort!.once("message", () => (isStopped = true));

while (!isStopped) {
  try {
    check();
  } catch (error) {
    report.faults.push(String(error));
  }
  report.queries++;
  await new Promise((resolve) => setImmediate(resolve));
}
queryable.close();
parentPort!.postMessage(report);

function check(): void {
  const found = dump(kernel, queryable);
  if (found.size !== series) report.faults.push(`${found.size} series instead of ${series}`);
  for (const [key, samples] of found) {
    if (samples.length !== samplesPerSeries) report.faults.push(`${key}: ${samples.length} samples`);
    for (let i = 1; i < samples.length; i++)
      if (samples[i]![0] <= samples[i - 1]![0]) report.faults.push(`${key}: out of order at ${i}`);
  }
}
