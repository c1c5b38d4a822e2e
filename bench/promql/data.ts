import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Registry } from "@narthex/client";
import { silentLogger, systemClock, systemDisk } from "../../src/base/index.ts";
import { createKernel } from "../../src/kernel/index.ts";
import { Labels } from "../../src/model/index.ts";
import { type QueryContext, defaultLimits } from "../../src/promql/index.ts";
import { openTsdb } from "../../src/tsdb/index.ts";

const seriesPerTarget = { requests: 102, errors: 102, buckets: 720, gauges: 76 };
const bounds = ["0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10", "+Inf"];

/** A head with `targets` × 1,000 series of `samples` samples, one each second, the newest at `endMs`; and what queries need. */
export async function loadHead(
  targets: number,
  samples: number,
): Promise<{ context: QueryContext; endMs: number; close: () => Promise<void> }> {
  const kernel = createKernel({ limitBytes: 2 * 1024 ** 3 });
  const directory = mkdtempSync(join(tmpdir(), "narthex-bench-"));
  const tsdb = openTsdb({
    kernel,
    disk: systemDisk,
    clock: systemClock,
    directory,
    logger: silentLogger,
    registry: new Registry(),
  });
  await tsdb.ready;
  const startMs = Math.floor((Date.now() - samples * 1000) / 60_000) * 60_000;
  const labels = Array.from({ length: targets }, (_, target) => targetLabels(target));
  const appender = tsdb.appender();
  const refs = labels.map((each) => each.map((series) => appender.reference(series)));
  const values = refs.map((each) => Float64Array.from(each, () => Math.floor(Math.random() * 1000)));
  for (let i = 0; i < samples; i++) {
    for (let target = 0; target < targets; target++) {
      refs[target]!.forEach((ref, series) => {
        values[target]![series]! += Math.floor(Math.random() * 4);
        appender.append(ref, startMs + i * 1000 + target, values[target]![series]!);
      });
      appender.commit();
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  const context: QueryContext = {
    queryable: tsdb.queryable,
    kernel,
    clock: systemClock,
    limits: defaultLimits,
    lookbackDeltaMs: 300_000,
    defaultEvalIntervalMs: 60_000,
  };
  const close = async (): Promise<void> => {
    await tsdb.close();
    rmSync(directory, { recursive: true });
  };
  return { context, endMs: startMs + samples * 1000, close };
}

function targetLabels(target: number): Labels[] {
  const base = { instance: `10.0.${target >> 8}.${target & 255}:9100`, job: `job-${target % 7}` };
  const list: Labels[] = [];
  for (let i = 0; i < seriesPerTarget.requests; i++) {
    const method = ["GET", "POST", "PUT"][i % 3]!;
    const request = {
      ...base,
      method,
      path: `/api/v1/resource/${Math.floor(i / 6)}`,
      status: i % 2 ? "200" : "500",
    };
    list.push(Labels.from({ ...request, __name__: "http_requests_total" }));
    list.push(Labels.from({ ...request, __name__: "http_request_errors_total" }));
  }
  for (let i = 0; i < seriesPerTarget.buckets; i++) {
    const service = `service-${Math.floor(i / bounds.length)}`;
    const le = bounds[i % bounds.length]!;
    list.push(Labels.from({ ...base, __name__: "http_request_duration_seconds_bucket", service, le }));
  }
  for (let i = 0; i < seriesPerTarget.gauges; i++) {
    list.push(Labels.from({ ...base, __name__: `gauge_${i}` }));
  }
  return list;
}
