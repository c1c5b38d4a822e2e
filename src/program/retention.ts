import { assert } from "../base/index.ts";
import { formatByteSize } from "../codec/index.ts";
import type { Config } from "../config/index.ts";
import { formatDuration } from "../model/index.ts";
import type { Retention } from "../tsdb/index.ts";

const timeMsDefault = 15 * 86_400_000;

/** What is kept where the configuration does not say. Whoever bounds the size alone wants to keep what fits. */
export function retentionOfFlags(timeMs: number, sizeBytes: number): Retention {
  return { timeMs: timeMs === 0 && sizeBytes === 0 ? timeMsDefault : timeMs, sizeBytes, percentage: 0 };
}

/** Completes a configuration that does not say what is kept. */
export function completeRetention(
  config: Config,
  unlessGiven: Retention,
  warn: (message: string) => void,
): void {
  const { percentage, sizeBytes } = (config.storage.tsdb.retention ??= { ...unlessGiven });
  if (percentage > 0 && sizeBytes > 0)
    warn("storage.tsdb.retention.size is ignored, because storage.tsdb.retention.percentage is specified");
}

/** What a completed configuration keeps. */
export function retentionOf(config: Config): Retention {
  const { retention } = config.storage.tsdb;
  assert(retention !== undefined, "the configuration says what is kept");
  return retention;
}

/** As `/api/v1/status/runtimeinfo` shows it: `15d or 512MiB or 50%`. */
export function formatRetention({ timeMs, sizeBytes, percentage }: Retention): string {
  return [
    ...(timeMs > 0 ? [formatDuration(timeMs)] : []),
    ...(sizeBytes > 0 ? [formatByteSize(sizeBytes)] : []),
    ...(percentage > 0 ? [`${percentage}%`] : []),
  ].join(" or ");
}
