/**
 * Whether the eight little-endian bytes at `offset` of `view` are the stale marker, the NaN that says "this series ended here". Bits are
 * compared, because JavaScript may rewrite those of a NaN that passes through a number.
 */
export function isStaleMarker(view: DataView, offset: number): boolean {
  return view.getUint32(offset, true) === 2 && view.getUint32(offset + 4, true) === 0x7ff00000;
}

/** Type of a metric as exposed and reported by `/api/v1/metadata`. */
export type MetricType =
  | "counter"
  | "gauge"
  | "histogram"
  | "gaugehistogram"
  | "summary"
  | "info"
  | "stateset"
  | "unknown";

/** What a target says about a metric. */
export interface MetricMetadata {
  type: MetricType;
  help: string;
  unit: string;
}
