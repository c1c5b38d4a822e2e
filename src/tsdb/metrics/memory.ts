import type { Registry } from "@narthex/client";
import type { Kernel } from "../../kernel/index.ts";
import { metricFunctions } from "./functions.ts";

/** Registers what the shared memory holds. */
export function registerMemoryMetrics(registry: Registry, kernel: Kernel): void {
  const { counter, gauge } = metricFunctions(registry);

  counter(
    "narthex_tsdb_isolation_lost_samples_total",
    "Samples that a query may have seen before the rest of their commit, for lack of memory.",
    () => kernel.isolation.lost,
  );
  gauge("narthex_shared_memory_limit_bytes", "Size of the shared memory.", () => kernel.usage().limitBytes);
  gauge("narthex_shared_memory_used_bytes", "Shared memory in use.", () => kernel.usage().usedBytes);
  gauge(
    "narthex_head_arena_used_bytes",
    "Bytes of the head's structures.",
    () => kernel.arena.usage().usedBytes,
  );
  gauge(
    "narthex_head_arena_retired_bytes",
    "Bytes that wait for readers to leave.",
    () => kernel.arena.usage().retiredBytes,
  );
}
