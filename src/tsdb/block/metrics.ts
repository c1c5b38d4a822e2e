import type { Registry } from "@narthex/client";
import type { Kernel } from "../../kernel/index.ts";
import { blockDamages } from "../shared-blocks.ts";

export interface BlockMetricSources {
  readonly kernel: Kernel;
  /** Blocks that are read. */
  readonly count: () => number;
  /** Bytes of their files. */
  readonly sizeBytes: () => number;
  readonly reloads: () => { total: number; failed: number };
  /** Blocks that were damaged when the storage was opened. */
  readonly setAside: () => number;
}

/** Registers what there is to know of the blocks, under upstream's names where it has one. */
export function registerBlockMetrics(
  registry: Registry,
  { kernel, count, sizeBytes, reloads, setAside }: BlockMetricSources,
): void {
  registry.gaugeFunction(
    { name: "prometheus_tsdb_blocks_loaded", help: "Blocks that are read." },
    orNaN(count),
  );
  registry.gaugeFunction(
    { name: "prometheus_tsdb_storage_blocks_bytes", help: "Bytes of all blocks on disk." },
    orNaN(sizeBytes),
  );
  registry.counterFunction(
    {
      name: "prometheus_tsdb_reloads_total",
      help: "Times that the main thread read which blocks there are, because they had changed.",
    },
    () => reloads().total,
  );
  registry.counterFunction(
    {
      name: "prometheus_tsdb_reloads_failures_total",
      help: "Times that the main thread could not read which blocks there are.",
    },
    () => reloads().failed,
  );
  registry.gaugeFunction(
    { name: "narthex_tsdb_blocks_set_aside", help: "Damaged blocks that were set aside at the start." },
    setAside,
  );
  registry.counterFunction(
    {
      name: "narthex_tsdb_block_damages_total",
      help: "Times that a query left out a damaged part of a block.",
    },
    () => blockDamages(kernel),
  );
}

/** A disk that fails must not keep the other metrics from being read. */
function orNaN(read: () => number): () => number {
  return () => {
    try {
      return read();
    } catch {
      return NaN;
    }
  };
}
