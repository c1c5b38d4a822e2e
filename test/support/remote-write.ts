import { type Histogram, spansFromIndices } from "../../src/model/index.ts";
import type { SeriesSample, TestSeries } from "../../src/promql/testing/index.ts";
import {
  bytesField,
  doubleField,
  varintField,
  zigzagField,
} from "../../src/exposition/testing/protobuf-writer.ts";
import { compressRecord } from "../../src/tsdb/wal/compression.ts";

/** The numbers that the remote write protocol has for what is known of resets. */
const resetHints = { unknown: 0, reset: 1, not_reset: 2, gauge: 3 } as const;
const staleBits = 0x7ff0000000000002n;

/** The body of a remote write request, version 1: a snappy block of a protobuf message. */
export function encodeWriteRequest(series: readonly TestSeries[]): Uint8Array<ArrayBuffer> {
  const message = Buffer.concat(
    series.flatMap(({ labels, samples }) => {
      const names = [...labels].map(([name, value]) =>
        bytesField(1, [bytesField(1, name), bytesField(2, value)]),
      );
      return runs(samples).map((run) => bytesField(1, [...names, ...run.map(sampleField)]));
    }),
  );
  return new Uint8Array(compressRecord(message, "snappy").data);
}

/** Stretches of only floats or only histograms: the message says of both in what order they come, but not of one to the other. */
function runs(samples: readonly SeriesSample[]): SeriesSample[][] {
  const all: SeriesSample[][] = [];
  for (const sample of samples) {
    const last = all.at(-1);
    if (last !== undefined && typeof last[0]!.value === typeof sample.value) last.push(sample);
    else all.push([sample]);
  }
  return all;
}

function sampleField({ timestampMs, value }: SeriesSample): Buffer {
  if (typeof value === "object") return bytesField(4, histogramFields(value, timestampMs));
  const timestamp = varintField(2, timestampMs);
  if (value !== "stale") return bytesField(2, [doubleField(1, value), timestamp]);
  const marker = doubleField(1, NaN);
  marker.writeBigUInt64LE(staleBits, 1);
  return bytesField(2, [marker, timestamp]);
}

function histogramFields(histogram: Histogram, timestampMs: number): Buffer[] {
  const { positive, negative, count, zeroCount } = histogram;
  const counts = [count, zeroCount, ...positive.counts, ...negative.counts];
  const isWhole = counts.every((each) => Number.isInteger(each));
  const spans = (field: number, indices: readonly number[]): Buffer[] =>
    spansFromIndices(indices).map(({ offset, length }) =>
      bytesField(field, [zigzagField(1, offset), varintField(2, length)]),
    );
  const bucketCounts = (field: number, all: readonly number[]): Buffer[] =>
    isWhole
      ? all.map((each, i) => zigzagField(field, each - (all[i - 1] ?? 0)))
      : all.map((each) => doubleField(field + 1, each));
  return [
    isWhole ? varintField(1, count) : doubleField(2, count),
    doubleField(3, histogram.sum),
    zigzagField(4, histogram.schema),
    doubleField(5, histogram.zeroThreshold),
    isWhole ? varintField(6, zeroCount) : doubleField(7, zeroCount),
    ...spans(8, negative.indices),
    ...bucketCounts(9, negative.counts),
    ...spans(11, positive.indices),
    ...bucketCounts(12, positive.counts),
    varintField(14, resetHints[histogram.counterReset]),
    varintField(15, timestampMs),
    ...histogram.customBounds.map((bound) => doubleField(16, bound)),
  ];
}
