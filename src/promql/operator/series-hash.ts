import type { SeriesList } from "../series/series-list.ts";
import type { Evaluation } from "./evaluation.ts";

const encoder = new TextEncoder();

/** Where a series lies between 0 and 1, by upstream's hash of its labels: the same in every query and process. */
export function seriesFraction(evaluation: Evaluation, list: SeriesList, series: number): number {
  const parts = list.labels(series).pairs.map((part) => encoder.encode(part));
  const bytes = parts.reduce((sum, part) => sum + part.length + 1, 0);
  const { kernel, scratch, u8 } = evaluation;
  const mark = scratch.mark();
  const ptr = scratch.allocate(bytes);
  let at = ptr;
  for (const part of parts) {
    u8.set(part, at);
    at += part.length;
    u8[at++] = 0xff;
  }
  const hash = kernel.hash64(ptr, bytes);
  scratch.release(mark);
  return Number(hash) / 2 ** 64;
}
