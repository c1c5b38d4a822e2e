import { type Kernel, layout } from "../../kernel/index.ts";

const { slot: slotLayout, chunk: field } = layout;

/** The time of the newest sample of a series that there is, -Infinity when it has none. */
export function newestSampleMs({ series, views }: Kernel, ref: number): number {
  const slot = series.slot(ref);
  if (views.u32[(slot + slotLayout.chunkPtr) >>> 2] === 0) return -Infinity;
  return Number(views.i64[(slot + slotLayout.lastTimestampMs) / 8]);
}

/** The encoding of the newest chunk of a series, 0 when there is none. */
export function newestEncoding({ series, views }: Kernel, ref: number): number {
  if (series.labelsPtr(ref) === 0) return 0;
  const chunk = views.u32[(series.slot(ref) + slotLayout.chunkPtr) >>> 2]!;
  return chunk === 0 ? 0 : views.u8[chunk + field.encoding]!;
}
