import { NarthexError } from "../../base/index.ts";

/** A run of buckets as files and wires describe it: the gap after the previous run (or the first index), and its length. */
export interface Span {
  readonly offset: number;
  readonly length: number;
}

const indexMax = 2 ** 31 - 1;

/** The bucket indices that spans describe. Throws `bad_data` when they describe anything but `bucketCount` ascending int32s. */
export function indicesFromSpans(spans: readonly Span[], bucketCount: number): number[] {
  checkSpans(spans, bucketCount);
  const indices: number[] = [];
  let next = 0;
  for (const { offset, length } of spans) {
    next += offset;
    for (let i = 0; i < length; i++) indices.push(next++);
    if (Math.abs(next) > indexMax) {
      throw new NarthexError("bad_data", `span ends at bucket index ${next}, beyond what 32 bits hold`);
    }
  }
  return indices;
}

/** The shortest list of spans for ascending indices. */
export function spansFromIndices(indices: readonly number[]): Span[] {
  const spans: { offset: number; length: number }[] = [];
  let next = 0;
  for (const index of indices) {
    const last = spans.at(-1);
    if (last !== undefined && index === next) last.length++;
    else spans.push({ offset: index - next, length: 1 });
    next = index + 1;
  }
  return spans;
}

function checkSpans(spans: readonly Span[], bucketCount: number): void {
  let needed = 0;
  spans.forEach(({ offset, length }, i) => {
    if (i > 0 && offset < 0) {
      throw new NarthexError(
        "bad_data",
        `span number ${i + 1} with offset ${offset}: histogram has a span whose offset is negative`,
      );
    }
    needed += length;
  });
  if (needed !== bucketCount) {
    throw new NarthexError(
      "bad_data",
      `spans need ${needed} buckets, have ${bucketCount} buckets: histogram spans specify different number of buckets than provided`,
    );
  }
}
