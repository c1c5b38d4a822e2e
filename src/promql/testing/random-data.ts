import { Labels } from "../../model/index.ts";
import type { MemoryStorage } from "./memory-storage.ts";

/** Counters, gauges and buckets of two jobs, with gaps and a reset, a sample each 15 s from `startMs` on. */
export function fillStorage(storage: MemoryStorage, startMs: number, samples: number): void {
  for (const job of ["a", "b"]) {
    for (let instance = 0; instance < 4; instance++) {
      const base = { job, instance: `${instance}` };
      for (let i = 0; i < samples; i++) {
        const timestampMs = startMs + i * 15_000;
        const add = (labels: Record<string, string>, value: number): void =>
          storage.append(Labels.from({ ...base, ...labels }), timestampMs, value);
        add({ __name__: "requests_total" }, i === 20 ? 0 : i * (instance + 1));
        if (instance !== 2) add({ __name__: "errors_total" }, (i * instance) / 3);
        if (i % 7 !== instance) add({ __name__: "temperature" }, Math.sin(i * (instance + 1)) * 20);
        ["0.1", "1", "+Inf"].forEach((le, bucket) =>
          add({ __name__: "latency_bucket", le }, i * (bucket + 1) * (instance + 1)),
        );
      }
    }
  }
}
