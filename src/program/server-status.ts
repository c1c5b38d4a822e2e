import { hostname } from "node:os";
import { formatByteSize } from "../codec/index.ts";
import { encodeConfig } from "../config/index.ts";
import type { Kernel } from "../kernel/index.ts";
import { formatDuration } from "../model/index.ts";
import type { Tsdb } from "../tsdb/index.ts";
import type { StatusView } from "../web/index.ts";
import type { LiveConfig } from "./live-config.ts";
import { describeFeatures } from "./features.ts";
import { formatRetention, retentionOf } from "./retention.ts";
import type { ServerOptions } from "./server-options.ts";
import { buildInfo } from "./version.ts";

export interface ServerStatusParts {
  options: ServerOptions;
  config: LiveConfig;
  kernel: Kernel;
  tsdb: Tsdb;
  /** Threads that evaluate queries. */
  readers: number;
}

/** What `/api/v1/status/*` tells of a server that starts now. */
export function createServerStatus({
  options,
  config,
  kernel,
  tsdb,
  readers,
}: ServerStatusParts): StatusView {
  const startTime = new Date().toISOString();
  const { timeMs, sizeBytes } = retentionOf(config.current);
  // The configuration may say otherwise than the flags.
  const flags = {
    ...options.flags,
    "storage.tsdb.retention.time": formatDuration(timeMs),
    "storage.tsdb.retention.size": formatByteSize(sizeBytes),
  };
  return {
    configYaml: () => encodeConfig(config.current),
    flags: () => flags,
    features: () => describeFeatures(options),
    blocks: () => tsdb.blocks(),
    build: buildInfo,
    runtime: () => ({
      startTime,
      CWD: process.cwd(),
      hostname: hostname(),
      serverTime: new Date().toISOString(),
      reloadConfigSuccess: config.refusedMs === undefined,
      lastConfigTime: new Date(config.loadedMs).toISOString(),
      corruptionCount: tsdb.replayResult?.damages.length ?? 0,
      // One goroutine upstream is a thread here.
      goroutineCount: 1 + readers,
      GOMAXPROCS: 1 + readers,
      GOMEMLIMIT: kernel.usage().limitBytes,
      GOGC: "",
      GODEBUG: "",
      storageRetention: formatRetention(retentionOf(config.current)),
    }),
    tsdb: (limit) => tsdb.stats(limit),
    refusedConfigMs: () => config.refusedMs,
    walReplay: () => tsdb.replayProgress ?? { min: 0, max: 0, current: 0 },
  };
}
