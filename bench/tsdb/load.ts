import { Registry } from "@narthex/client";
import { createLogger, SimulatedClock, systemDisk } from "../../src/base/index.ts";
import { createKernel, type Kernel } from "../../src/kernel/index.ts";
import { Labels } from "../../src/model/index.ts";
import { type BlockKeeper, openTsdb, type Tsdb } from "../../src/tsdb/index.ts";

const seriesPerTargetDefault = 1000;
export const scrapeIntervalMs = 15_000;
export const startMs = 1_700_006_400_000;

export interface Storage {
  tsdb: Tsdb;
  kernel: Kernel;
  clock: SimulatedClock;
}

/** Opens a storage on the real disk with a clock that the load moves; without a keeper no blocks are written. */
export async function openStorage(
  directory: string,
  nowMs = startMs,
  createKeeper?: (kernel: Kernel) => BlockKeeper,
): Promise<Storage> {
  const kernel = createKernel({ limitBytes: 4 * 1024 ** 3 - 65_536 });
  const clock = new SimulatedClock(nowMs);
  const tsdb = openTsdb({
    kernel,
    disk: systemDisk,
    clock,
    directory,
    logger: createLogger({ level: "warn" }),
    registry: new Registry(),
    ...(createKeeper && { keeper: createKeeper(kernel) }),
  });
  await tsdb.ready;
  return { tsdb, kernel, clock };
}

/** Labels as a server application exposes them: 20 metrics, half of them histograms' buckets. */
export function targetLabels(target: number, seriesPerTarget = seriesPerTargetDefault): Labels[] {
  return Array.from({ length: seriesPerTarget }, (_, i) =>
    Labels.from({
      __name__: `app_subsystem_metric_${i % 20}_${i % 2 === 0 ? "total" : "bucket"}`,
      job: "application",
      instance: `10.0.${target >> 8}.${target & 255}:8080`,
      handler: `/api/v1/resource/${Math.floor(i / 20) % 10}`,
      code: ["200", "404", "500", "503", "302"][Math.floor(i / 200) % 5]!,
      ...(i >= 1000 && { shard: String(Math.floor(i / 1000)) }),
      ...(i % 2 === 1 && { le: String((i % 20) / 4) }),
      zone: `zone-${target % 3}`,
    }),
  );
}

/** Appends one scrape of every target; values grow as counters do. Returns the samples appended. */
export function scrapeAll({ tsdb, clock }: Storage, refs: readonly Uint32Array[], scrape: number): number {
  let appended = 0;
  const timestampMs = clock.nowMs();
  for (const targetRefs of refs) {
    const appender = tsdb.appender();
    const { batch } = appender;
    for (let i = 0; i < targetRefs.length; i++)
      batch.push(targetRefs[i]!, timestampMs, i % 4 === 0 ? i : scrape * (i % 50) + ((scrape * 7 + i) % 11));
    appended += appender.commit().appended;
  }
  return appended;
}

export function createSeries({ tsdb }: Storage, targets: number, seriesPerTarget?: number): Uint32Array[] {
  return Array.from({ length: targets }, (_, target) => {
    const appender = tsdb.appender();
    const refs = Uint32Array.from(targetLabels(target, seriesPerTarget), (labels) =>
      appender.reference(labels),
    );
    appender.commit();
    return refs;
  });
}
