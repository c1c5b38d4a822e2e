import type { SeriesList } from "../series/series-list.ts";
import type { Evaluation } from "./evaluation.ts";

const encoder = new TextEncoder();

/** Where a series lies between 0 and 1, by upstream's hash of its labels: the same in every query and process. */
export function seriesFraction(evaluation: Evaluation, list: SeriesList, series: number): number {
  const parts = list.labels(series).pairs.map((part) => encoder.encode(part));
  const bytes = parts.reduce((sum, part) => sum + part.length + 4, 0);
  const { kernel, scratch, u8 } = evaluation;
  const mark = scratch.mark();
  const ptr = scratch.allocate(bytes);
  let at = ptr;
  for (const part of parts) {
    at = writeLength(u8, at, part.length);
    u8.set(part, at);
    at += part.length;
  }
  const hash = kernel.hash64(ptr, at - ptr);
  scratch.release(mark);
  return Number(hash) / 2 ** 64;
}

/** One byte, or from 255 on three more, the lowest first. */
function writeLength(u8: Uint8Array, at: number, length: number): number {
  if (length < 255) {
    u8[at] = length;
    return at + 1;
  }
  u8.set([255, length & 0xff, (length >>> 8) & 0xff, length >>> 16], at);
  return at + 4;
}
