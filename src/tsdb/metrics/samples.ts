import type { Registry } from "@narthex/client";
import type { AppendCounters, AppendTotals } from "../head/append-counters.ts";
import { metricFunctions } from "./functions.ts";

/** Registers what became of the samples that were appended. */
export function registerSampleMetrics(registry: Registry, totals: AppendTotals): void {
  const { counter } = metricFunctions(registry);

  counter(
    "narthex_tsdb_memory_full_samples_total",
    "Samples refused because the shared memory was full.",
    () => totals.float.memoryFull + totals.histogram.memoryFull,
  );

  const byType = (name: string, help: string, read: (counters: AppendCounters) => number): (() => void) => {
    const family = registry.counter({ name, help, labelNames: ["type"] });
    return () => {
      for (const type of ["float", "histogram"] as const) family.labels({ type }).value = read(totals[type]);
    };
  };
  const samples = [
    byType("prometheus_tsdb_head_samples_appended_total", "Samples appended.", ({ appended }) => appended),
    byType(
      "prometheus_tsdb_out_of_order_samples_total",
      "Samples refused as older than their series' newest.",
      ({ outOfOrder }) => outOfOrder,
    ),
    byType(
      "prometheus_tsdb_head_out_of_order_samples_appended_total",
      "Samples appended that came out of order.",
      ({ late }) => late,
    ),
    byType(
      "prometheus_tsdb_too_old_samples_total",
      "Samples refused as too old even to come out of order.",
      ({ tooOld }) => tooOld,
    ),
    byType(
      "prometheus_tsdb_out_of_bound_samples_total",
      "Samples refused as too old or too far in the future.",
      ({ outOfBounds, tooFarInFuture }) => outOfBounds + tooFarInFuture,
    ),
    byType(
      "narthex_tsdb_duplicate_samples_total",
      "Samples refused as another value for a known time.",
      ({ duplicate }) => duplicate,
    ),
  ];
  registry.collector(() => {
    for (const update of samples) update();
  });
}

/** Registers upstream's histogram of how late samples come, and returns what feeds it. */
export function outOfOrderDelta(registry: Registry): (seconds: number) => void {
  const histogram = registry.histogram({
    name: "prometheus_tsdb_sample_ooo_delta",
    help: "By how much samples that came out of order were older than the newest, in seconds.",
    buckets: [600, 1800, 3600, 7200, 10_800, 21_600, 43_200],
  });
  return (seconds) => histogram.observe(seconds);
}
