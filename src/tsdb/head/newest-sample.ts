import { type Kernel, layout, type SampleStatus, sampleStatus } from "../../kernel/index.ts";
import type { SampleColumns } from "../../storage/index.ts";

const { slot: slotLayout, chunk: field } = layout;

/** The time of the newest sample of a series that there is, -Infinity when it has none. */
export function newestSampleMs({ series, views }: Kernel, ref: number): number {
  const slot = series.slot(ref);
  if (views.u32[(slot + slotLayout.chunkPtr) >>> 2] === 0) return -Infinity;
  return Number(views.i64[(slot + slotLayout.lastTimestampMs) / 8]);
}

/** Whether a sample of this time can be the newest of its series; undefined when the newest has the same time. */
export function checkTime(kernel: Kernel, ref: number, timestampMs: number): SampleStatus | undefined {
  if (kernel.series.labelsPtr(ref) === 0) return sampleStatus.unknownSeries;
  const newestMs = newestSampleMs(kernel, ref);
  if (timestampMs === newestMs) return undefined;
  return timestampMs > newestMs ? sampleStatus.ok : sampleStatus.outOfOrder;
}

/**
 * Puts the newest sample of a series into the columns if it is in the time range and in an open chunk of floats; otherwise false. Writer's thread only: others
 * could see half of it.
 */
export function putNewestFloat(
  { series, views }: Kernel,
  ref: number,
  minTimestampMs: number,
  maxTimestampMs: number,
  { timestamps, values }: SampleColumns,
): boolean {
  const { f64, u32, u8 } = views;
  const slot = series.slot(ref);
  const chunk = u32[(slot + slotLayout.chunkPtr) >>> 2]!;
  const isOpen = chunk !== 0 && (u8[chunk + field.flags]! & layout.chunkFlagClosed) === 0;
  if (!isOpen || !layout.isFloatEncoding(u8[chunk + field.encoding]!)) return false;
  const time = (slot + slotLayout.lastTimestampMs) >>> 2;
  const timestampMs = (u32[time + 1]! | 0) * 2 ** 32 + u32[time]!;
  if (timestampMs < minTimestampMs || timestampMs > maxTimestampMs) return false;
  f64[timestamps / 8] = timestampMs;
  // Bit for bit: JavaScript may rewrite a stale marker.
  const bits = (slot + slotLayout.lastValueBits) >>> 2;
  u32[values / 4] = u32[bits]!;
  u32[values / 4 + 1] = u32[bits + 1]!;
  return true;
}

/** The encoding of the newest chunk of a series, 0 when there is none. */
export function newestEncoding({ series, views }: Kernel, ref: number): number {
  if (series.labelsPtr(ref) === 0) return 0;
  const chunk = views.u32[(series.slot(ref) + slotLayout.chunkPtr) >>> 2]!;
  return chunk === 0 ? 0 : views.u8[chunk + field.encoding]!;
}
