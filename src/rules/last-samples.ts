import type { Kernel } from "../kernel/index.ts";
import { isStaleMarker } from "../model/index.ts";
import type { Queryable } from "../storage/index.ts";
import type { LastSample, LastSamplesFunction } from "./restore.ts";

/** Reads newest samples on this thread; meant for the few series that a restart asks for. */
export function createLastSamples(queryable: Queryable, kernel: Kernel): LastSamplesFunction {
  return (matchers, minTimestampMs, maxTimestampMs) => {
    const querier = queryable.querier(minTimestampMs, maxTimestampMs);
    const scratch = kernel.createScratch();
    const bytes = new DataView(kernel.views.u8.buffer);
    try {
      const set = querier.select(matchers, { minTimestampMs, maxTimestampMs }, false);
      const samples: LastSample[] = [];
      for (let series = 0; series < set.length; series++) {
        const mark = scratch.mark();
        const capacity = set.sampleCountMax(series, minTimestampMs, maxTimestampMs);
        const timestamps = scratch.allocate(capacity * 8);
        const values = scratch.allocate(capacity * 8);
        const columns = { timestamps, values, capacity };
        const count = set.read(series, minTimestampMs, maxTimestampMs, false, columns);
        const offset = (count - 1) * 8;
        if (count > 0) {
          samples.push({
            labels: set.labels(series),
            timestampMs: bytes.getFloat64(timestamps + offset, true),
            value: bytes.getFloat64(values + offset, true),
            isStale: isStaleMarker(bytes, values + offset),
          });
        }
        scratch.release(mark);
      }
      return Promise.resolve(samples);
    } catch (error) {
      return Promise.reject(error as Error);
    } finally {
      querier.close();
      scratch.reset();
    }
  };
}
