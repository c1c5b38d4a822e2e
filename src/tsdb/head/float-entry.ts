import { type Kernel, type SampleStatus, sampleStatus, layout } from "../../kernel/index.ts";
import type { FloatEntry } from "../wal/float-record.ts";
import { checkTime, newestEncoding } from "./newest-sample.ts";

/** How long chunks become. */
export interface ChunkLength {
  readonly chunkRangeMs: number;
  readonly samplesPerChunk: number;
}

/** Whether the float can be the newest of its series. */
export function checkFloat(kernel: Kernel, { ref, timestampMs, bits }: FloatEntry): SampleStatus {
  const status = checkTime(kernel, ref, timestampMs);
  if (status !== undefined) return status;
  const { series, views } = kernel;
  const newestBits = views.u64[(series.slot(ref) + layout.slot.lastValueBits) / 8];
  const isRepeated = newestBits === bits && layout.isFloatEncoding(newestEncoding(kernel, ref));
  return isRepeated ? sampleStatus.repeated : sampleStatus.duplicate;
}

/** Appends a float of which it is known since when it counts, or one between them, if it can be the newest of its series. */
export function appendFloat(
  { series }: Kernel,
  { ref, timestampMs, bits, startTimestampMs }: FloatEntry,
  length: ChunkLength,
): SampleStatus {
  return series.appendStarted(ref, timestampMs, bits, startTimestampMs, length);
}
