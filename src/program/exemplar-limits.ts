import type { Config } from "../config/index.ts";
import type { ExemplarLimits } from "../tsdb/index.ts";
import type { ServerOptions } from "./server-options.ts";

const exemplarsMaxDefault = 100_000;

/** None are kept unless the feature is enabled. */
export function exemplarLimitsOf({ features }: ServerOptions, { storage }: Config): ExemplarLimits {
  const isEnabled = features.includes("exemplar-storage");
  return {
    exemplarsMax: isEnabled ? (storage.exemplars?.exemplarsMax ?? exemplarsMaxDefault) : 0,
    exemplarWindowMs: storage.tsdb.outOfOrderTimeWindowMs,
  };
}
