import { byteSize } from "../codec/index.ts";
import type { Config } from "../config/index.ts";
import { formatDuration } from "../model/index.ts";
import type { ServerOptions } from "./server-options.ts";

const timeMsDefault = 15 * 86_400_000;

/** How long and how much is kept: as the configuration says, else the flags. 0 sets no bound. */
export interface Retention {
  timeMs: number;
  bytes: number;
}

export function retentionOf(options: ServerOptions, config: Config): Retention {
  const { timeMs, sizeBytes } = config.storage.tsdb.retention;
  const bytes = sizeBytes || options.retentionBytes;
  // Whoever bounds the size alone wants to keep what fits.
  return { bytes, timeMs: timeMs || options.retentionMs || (bytes > 0 ? 0 : timeMsDefault) };
}

/** As `/api/v1/status/runtimeinfo` shows it: `15d or 512MB`. */
export function formatRetention({ timeMs, bytes }: Retention): string {
  const parts = [timeMs > 0 ? formatDuration(timeMs) : "", bytes > 0 ? String(byteSize.encode(bytes)) : ""];
  return parts.filter((part) => part !== "").join(" or ");
}
