import { type Histogram, spansFromIndices } from "../../model/index.ts";

/** The content type of what these functions write. */
export const protobufContentType =
  "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited";

/** One field of a message: number, wire type and bytes. */
export function varintField(field: number, value: bigint | number): Buffer {
  return Buffer.concat([varint(field * 8), varint(value)]);
}

export function doubleField(field: number, value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return Buffer.concat([varint(field * 8 + 1), bytes]);
}

export function bytesField(field: number, value: string | readonly Buffer[]): Buffer {
  const bytes = typeof value === "string" ? Buffer.from(value) : Buffer.concat(value);
  return Buffer.concat([varint(field * 8 + 2), varint(bytes.length), bytes]);
}

export function zigzagField(field: number, value: number): Buffer {
  return varintField(field, zigzag(value));
}

export function varint(value: bigint | number): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  bytes.push(Number(rest));
  return Buffer.from(bytes);
}

export function timestampField(field: number, unixMs: number): Buffer {
  const seconds = Math.floor(unixMs / 1000);
  return bytesField(field, [varintField(1, seconds), varintField(2, (unixMs - seconds * 1000) * 1e6)]);
}

/** A MetricFamily with its length in front. */
export function family(name: string, type: number, metrics: readonly Buffer[], help = ""): Buffer {
  const fields = [bytesField(1, name), bytesField(2, help), varintField(3, type), ...metrics];
  const length = fields.reduce((sum, bytes) => sum + bytes.length, 0);
  return Buffer.concat([varint(length), ...fields]);
}

export function metric(labels: Readonly<Record<string, string>>, ...fields: Buffer[]): Buffer {
  const pairs = Object.entries(labels).map(([name, value]) =>
    bytesField(1, [bytesField(1, name), bytesField(2, value)]),
  );
  return bytesField(4, [...pairs, ...fields]);
}

/** The fields of a histogram, as the Go client writes them. */
export function nativeHistogramFields(histogram: Histogram, isFloat = false): Buffer[] {
  const { positive, negative } = histogram;
  const span = (field: number, indices: readonly number[]): Buffer[] =>
    spansFromIndices(indices).map(({ offset, length }) =>
      bytesField(field, [zigzagField(1, offset), varintField(2, length)]),
    );
  const deltas = (field: number, counts: readonly number[]): Buffer[] => {
    if (counts.length === 0) return [];
    return [
      bytesField(
        field,
        counts.map((count, i) => varint(zigzag(count - (counts[i - 1] ?? 0)))),
      ),
    ];
  };
  const counts = (field: number, values: readonly number[]): Buffer[] =>
    values.map((value) => doubleField(field, value));
  if (isFloat) {
    return [
      doubleField(4, histogram.count),
      doubleField(2, histogram.sum),
      zigzagField(5, histogram.schema),
      doubleField(6, histogram.zeroThreshold),
      doubleField(8, histogram.zeroCount),
      ...span(9, negative.indices),
      ...counts(11, negative.counts),
      ...span(12, positive.indices),
      ...counts(14, positive.counts),
    ];
  }
  return [
    varintField(1, histogram.count),
    doubleField(2, histogram.sum),
    zigzagField(5, histogram.schema),
    doubleField(6, histogram.zeroThreshold),
    varintField(7, histogram.zeroCount),
    ...span(9, negative.indices),
    ...deltas(10, negative.counts),
    ...span(12, positive.indices),
    ...deltas(13, positive.counts),
  ];
}

function zigzag(value: number): bigint {
  const whole = BigInt(value);
  return whole >= 0n ? whole * 2n : -whole * 2n - 1n;
}

/** An exemplar with the label `id`. */
export function exemplarField(field: number, id: string, value: number, unixMs?: number): Buffer {
  return bytesField(field, [
    bytesField(1, [bytesField(1, "id"), bytesField(2, id)]),
    doubleField(2, value),
    ...(unixMs === undefined ? [] : [timestampField(3, unixMs)]),
  ]);
}
