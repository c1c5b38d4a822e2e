/**
 * The NaN whose bits say "this series ended here" (upstream's `value.StaleNaN`). JavaScript may rewrite a NaN's bits when it
 * passes through a number, so stale markers are written and tested as 64-bit integers or in the kernel.
 */
export const staleMarkerBits = 0x7ff0000000000002n;
/** The NaN that a computation yields; Go's `value.NormalNaN`. */
export const normalNanBits = 0x7ff8000000000001n;

const bytes = new DataView(new ArrayBuffer(8));

/** Whether the eight little-endian bytes at `offset` of `view` are the stale marker. */
export function isStaleMarker(view: DataView, offset: number): boolean {
  return view.getUint32(offset, true) === 2 && view.getUint32(offset + 4, true) === 0x7ff00000;
}

/** The bits of a number, for comparing values as storage does (NaNs by payload where it survived). */
export function valueBits(value: number): bigint {
  bytes.setFloat64(0, value);
  return bytes.getBigUint64(0);
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
