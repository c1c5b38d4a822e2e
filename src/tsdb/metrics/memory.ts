import type { Registry } from "@narthex/client";
import type { Kernel } from "../../kernel/index.ts";
import { metricFunctions } from "./functions.ts";

/** Registers what the shared memory holds. */
export function registerMemoryMetrics(registry: Registry, kernel: Kernel): void {
  const { gauge } = metricFunctions(registry);

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
