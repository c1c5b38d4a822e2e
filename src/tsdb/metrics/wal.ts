import type { Registry } from "@narthex/client";
import type { Wal } from "../wal/wal.ts";
import { metricFunctions } from "./functions.ts";

/** Registers what there is to know of the WAL's checkpoints. */
export function registerCheckpointMetrics(registry: Registry, wal: Wal): void {
  const { counter } = metricFunctions(registry);

  counter("prometheus_tsdb_checkpoint_creations_total", "Checkpoints begun.", () => wal.truncations);
  counter(
    "prometheus_tsdb_checkpoint_creations_failed_total",
    "Checkpoints that failed.",
    () => wal.truncationsFailed,
  );
  counter(
    "prometheus_tsdb_checkpoint_deletions_total",
    "Checkpoints deleted after a newer one was written.",
    () => wal.checkpointsDeleted,
  );
}
