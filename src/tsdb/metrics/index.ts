/** The storage's metrics under upstream's names, where it has one; the values are read when they are gathered. */
import type { Registry } from "@narthex/client";
import type { Disk } from "../../base/index.ts";
import type { Kernel } from "../../kernel/index.ts";
import { blockSizeBytes } from "../block/block.ts";
import { registerBlockMetrics } from "../block/metrics.ts";
import type { DataDirectory } from "../data-directory.ts";
import type { ExemplarStorage } from "../exemplar/exemplar-storage.ts";
import type { HeadChunks } from "../head-chunks/index.ts";
import type { Maintenance } from "../maintenance/maintenance.ts";
import type { MemoryPressure } from "../maintenance/memory-pressure.ts";
import type { OutOfOrderLog, OutOfOrderMapper } from "../out-of-order/index.ts";
import type { StoredQueryable } from "../queryable.ts";
import type { HeadRestore } from "../restore.ts";
import type { WalCompression } from "../wal/compression.ts";
import type { Wal } from "../wal/wal.ts";
import { registerExemplarMetrics } from "./exemplars.ts";
import { metricFunctions } from "./functions.ts";
import { type HeadMetricSources, registerHeadMetrics } from "./head.ts";
import { registerHeadChunkMetrics } from "./head-chunks.ts";
import { registerMaintenanceMetrics } from "./maintenance.ts";
import { registerMemoryMetrics } from "./memory.ts";
import { registerRestoreMetrics } from "./restore.ts";
import { registerSampleMetrics } from "./samples.ts";
import { registerCheckpointMetrics } from "./wal.ts";
import { registerWriteLogMetrics } from "./write-log.ts";

export { outOfOrderDelta } from "./samples.ts";

export interface TsdbMetricSources extends HeadMetricSources {
  readonly kernel: Kernel;
  readonly disk: Disk;
  /** The data directory, and how it was found. */
  readonly directory: string;
  readonly dataDirectory: DataDirectory;
  readonly exemplars: ExemplarStorage;
  readonly headChunks: HeadChunks;
  readonly wal: Wal;
  readonly outOfOrderLog: OutOfOrderLog;
  readonly outOfOrderMapper: OutOfOrderMapper;
  readonly walCompression: WalCompression;
  readonly restore: HeadRestore;
  readonly maintenance: Maintenance;
  readonly pressure: MemoryPressure;
  readonly queryable: StoredQueryable;
}

export function registerTsdbMetrics(registry: Registry, sources: TsdbMetricSources): void {
  const { kernel, disk, directory, dataDirectory, queryable } = sources;
  metricFunctions(registry).gauge(
    "prometheus_tsdb_clean_start",
    "0 when a lock was left behind by the last run, 1 after a clean stop.",
    () => (dataDirectory.lock.replacedStale ? 0 : 1),
  );
  registerBlockMetrics(registry, {
    kernel,
    count: () => queryable.blocks().length,
    sizeBytes: () =>
      queryable.blocks().reduce((bytes, { ulid }) => bytes + blockSizeBytes(disk, `${directory}/${ulid}`), 0),
    reloads: () => queryable.reloads(),
    setAside: () => dataDirectory.blocksSetAside.length,
  });
  registerHeadMetrics(registry, sources);
  registerSampleMetrics(registry, sources.appendable.totals);
  registerHeadChunkMetrics(registry, sources.headChunks, sources.outOfOrderMapper);
  registerExemplarMetrics(registry, sources.exemplars);
  registerWriteLogMetrics(registry, "wal", sources.wal, sources.walCompression);
  registerWriteLogMetrics(registry, "out_of_order_wbl", sources.outOfOrderLog, sources.walCompression);
  registerCheckpointMetrics(registry, sources.wal);
  registerRestoreMetrics(registry, sources.restore);
  registerMaintenanceMetrics(registry, sources.maintenance, sources.pressure);
  registerMemoryMetrics(registry, kernel);
}
