import { NarthexError, errorMessage } from "../../base/index.ts";
import { type Buckets, createHistogram, customBucketsSchema, type Histogram } from "./histogram.ts";
import { indicesFromSpans, type Span } from "./spans.ts";

/** A histogram as files and wires describe it: spans, and a count for each bucket they name. */
export interface SpannedHistogram extends Omit<Partial<Histogram>, "positive" | "negative"> {
  positiveSpans: readonly Span[];
  negativeSpans: readonly Span[];
  positiveCounts: readonly number[];
  negativeCounts: readonly number[];
}

/** Throws `bad_data` when spans and counts do not fit; nothing else is checked. */
export function assembleHistogram(parts: SpannedHistogram): Histogram {
  const { positiveSpans, negativeSpans, positiveCounts, negativeCounts, ...fields } = parts;
  const isCustom = parts.schema === customBucketsSchema;
  const positive = side(positiveSpans, positiveCounts, isCustom ? "custom buckets: " : "positive side: ");
  return createHistogram({
    ...fields,
    positive,
    negative: side(negativeSpans, negativeCounts, "negative side: "),
  });
}

function side(spans: readonly Span[], counts: readonly number[], place: string): Buckets {
  try {
    return { indices: indicesFromSpans(spans, counts.length), counts };
  } catch (error) {
    if (error instanceof NarthexError) throw new NarthexError(error.code, place + errorMessage(error));
    throw error;
  }
}

/** Counts from the differences between each and the one before. */
export function countsFromDeltas(deltas: readonly number[]): number[] {
  let count = 0;
  return deltas.map((delta) => (count += delta));
}
