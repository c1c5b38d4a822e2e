import { NarthexError } from "../base/index.ts";
import {
  exponentialSchemaMax,
  exponentialSchemaMin,
  hasCustomBuckets,
  type Histogram,
  reduceResolution,
} from "../model/index.ts";

/** How fine native histograms may be when they are stored. */
export interface HistogramLimits {
  /** Buckets of one histogram; 0 = no limit. */
  readonly bucketLimit: number;
  /** Finer schemas are reduced to this one. */
  readonly schemaMax: number;
}

/** More buckets than `native_histogram_bucket_limit`, and not to be had with fewer. */
export class BucketLimitError extends NarthexError {
  constructor() {
    super("bad_data", "histogram bucket limit exceeded");
  }
}

/** The histogram in the finest resolution that the limits allow. Throws BucketLimitError. */
export function limitBuckets(histogram: Histogram, { bucketLimit, schemaMax }: HistogramLimits): Histogram {
  let limited =
    !hasCustomBuckets(histogram) && histogram.schema > schemaMax
      ? reduceResolution(histogram, schemaMax)
      : histogram;
  while (bucketLimit > 0 && bucketCount(limited) > bucketLimit) {
    if (hasCustomBuckets(limited) || limited.schema <= exponentialSchemaMin) throw new BucketLimitError();
    limited = reduceResolution(limited, limited.schema - 1);
  }
  return limited;
}

function bucketCount({ positive, negative }: Histogram): number {
  return positive.counts.length + negative.counts.length;
}

/** The finest schema whose buckets grow by `bucketFactor` at least; at most 1 asks for the finest there is. */
export function schemaForFactor(bucketFactor: number): number {
  if (bucketFactor <= 1) return exponentialSchemaMax;
  const schema = Math.floor(Math.log2(1 / Math.log2(bucketFactor)));
  return Math.min(exponentialSchemaMax, Math.max(exponentialSchemaMin, schema));
}
