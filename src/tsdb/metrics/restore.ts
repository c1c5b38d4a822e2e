import type { Registry } from "@narthex/client";
import type { HeadRestore } from "../restore.ts";
import type { ReplayResult } from "../wal/record-replay.ts";
import { metricFunctions } from "./functions.ts";

/** Registers what the replay at the start found; 0 until it is over. */
export function registerRestoreMetrics(registry: Registry, restore: HeadRestore): void {
  const { gauge, counter } = metricFunctions(registry);

  counter("prometheus_tsdb_wal_corruptions_total", "Damaged places found in the WAL and the WBL.", () =>
    found(restore, ({ damages, tornTails }) => damages.length + tornTails.length),
  );
  counter("narthex_tsdb_wal_torn_tails_total", "Torn ends of WAL and WBL segments that were cut.", () =>
    found(restore, ({ tornTails }) => tornTails.length),
  );
  gauge(
    "prometheus_tsdb_data_replay_duration_seconds",
    "Time the replay at start-up took.",
    () => restore.seconds,
  );

  for (const [log, title] of [
    ["wal", "WAL"],
    ["wbl", "WBL"],
  ] as const) {
    const unknownRefs = registry.counter({
      name: `prometheus_tsdb_${log}_replay_unknown_refs_total`,
      help: `What was replayed from the ${title} and names a series that the WAL does not.`,
      labelNames: ["type"],
    });
    registry.collector(() => {
      const result = log === "wal" ? restore.result : restore.outOfOrderResult;
      for (const [type, count] of Object.entries(result?.unknownRefs ?? {}))
        if (count > 0) unknownRefs.labels({ type }).value = count;
    });
  }
}

/** The sum over both logs. */
function found(
  { result, outOfOrderResult }: HeadRestore,
  count: (result: Pick<ReplayResult, "damages" | "tornTails">) => number,
): number {
  return (result ? count(result) : 0) + (outOfOrderResult ? count(outOfOrderResult) : 0);
}
