import type { Registry } from "@narthex/client";
import type { HeadRestore } from "../restore.ts";
import { metricFunctions } from "./functions.ts";

/** Registers what the replay at the start found; 0 until it is over. */
export function registerRestoreMetrics(registry: Registry, restore: HeadRestore): void {
  const { gauge, counter } = metricFunctions(registry);

  counter(
    "prometheus_tsdb_wal_corruptions_total",
    "Damaged places found in the WAL.",
    () => (restore.result?.damages.length ?? 0) + (restore.result?.tornTails.length ?? 0),
  );
  counter(
    "narthex_tsdb_wal_torn_tails_total",
    "Torn ends of WAL segments that were cut.",
    () => restore.result?.tornTails.length ?? 0,
  );
  gauge(
    "prometheus_tsdb_data_replay_duration_seconds",
    "Time the replay at start-up took.",
    () => restore.seconds,
  );

  const unknownRefs = registry.counter({
    name: "prometheus_tsdb_wal_replay_unknown_refs_total",
    help: "What was replayed and names a series that the WAL does not.",
    labelNames: ["type"],
  });
  registry.collector(() => {
    for (const [type, count] of Object.entries(restore.result?.unknownRefs ?? {}))
      if (count > 0) unknownRefs.labels({ type }).value = count;
  });
}
