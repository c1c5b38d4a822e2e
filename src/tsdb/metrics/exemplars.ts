import type { Registry } from "@narthex/client";
import type { ExemplarStorage } from "../exemplar/exemplar-storage.ts";
import { metricFunctions } from "./functions.ts";

/** Registers what there is to know of exemplars. */
export function registerExemplarMetrics(registry: Registry, exemplars: ExemplarStorage): void {
  const { gauge, counter } = metricFunctions(registry);

  counter(
    "prometheus_tsdb_exemplar_exemplars_appended_total",
    "Exemplars appended.",
    () => exemplars.appended,
  );
  counter(
    "prometheus_tsdb_exemplar_out_of_order_exemplars_total",
    "Exemplars refused as older than their series' newest.",
    () => exemplars.outOfOrder,
  );
  gauge("prometheus_tsdb_exemplar_exemplars_in_storage", "Exemplars kept.", () => exemplars.count);
  gauge(
    "prometheus_tsdb_exemplar_series_with_exemplars_in_storage",
    "Series with exemplars that are kept.",
    () => exemplars.seriesCount,
  );
  gauge(
    "prometheus_tsdb_exemplar_last_exemplars_timestamp_seconds",
    "Time of the exemplar that has been kept longest.",
    () => exemplars.firstTimestampMs / 1000,
  );
  gauge("prometheus_tsdb_exemplar_max_exemplars", "Exemplars that can be kept.", () => exemplars.capacity);
}
