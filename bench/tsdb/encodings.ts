/**
 * What floats take as XOR and as XOR2, by hand: `node bench/tsdb/encodings.ts`. Chunks of 120 samples, each 15 s, of the series that the whole-system benchmark scrapes and of
 * some that stand still; as a target on time is scraped, and where scrapes come a little early or late.
 */
import { chunkBytesMax, createKernel, layout } from "../../src/kernel/index.ts";
import { targetSeries } from "../series.ts";

const kernel = createKernel({ limitBytes: 64 * 1024 * 1024 });
const { f64 } = kernel.views;
const samples = 120;
const stepMs = 15_000;
const firstMs = 1_700_006_400_000;
const capacity = chunkBytesMax(samples);
const tsPtr = kernel.scratch.allocate(8 * samples);
const vsPtr = kernel.scratch.allocate(8 * samples);
const outPtr = kernel.scratch.allocate(capacity);

type ValueAt = (second: number) => number;

const scraped = targetSeries(0, 1000);
const kinds: Record<string, readonly ValueAt[]> = {
  "the load's series": scraped.map(({ valueAt }) => valueAt),
  "its request counters": valuesOf("http_requests_total"),
  "its buckets": valuesOf("http_request_duration_seconds_bucket"),
  "its sums": valuesOf("http_request_duration_seconds_sum"),
  "its gauges": valuesOf("queue_temperature_celsius"),
  "standing still": Array.from({ length: 100 }, (_, i) => () => i),
  "counters that move each tenth time": Array.from(
    { length: 100 },
    (_, i) => (second: number) => Math.floor(second / 150) * (i + 1),
  ),
};

/** How far a scrape is from its time. */
const jitters: Record<string, (i: number) => number> = {
  "on time": () => 0,
  "each tenth 3 ms late": (i) => (i % 10 === 0 ? 3 : 0),
  "±10 ms": (i) => ((i * 7919) % 21) - 10,
};

function valuesOf(name: string): ValueAt[] {
  return scraped.filter((series) => series.name === name).map(({ valueAt }) => valueAt);
}

for (const [jitterName, jitterMs] of Object.entries(jitters)) {
  console.log(`\n${jitterName.padEnd(40)}      XOR     XOR2`);
  for (const [name, values] of Object.entries(kinds)) {
    const [xor, xor2] = ([layout.chunkEncodingXor, layout.chunkEncodingXor2] as const).map((encoding) => {
      let bytes = 0;
      for (const valueAt of values) {
        for (let i = 0; i < samples; i++) {
          f64[tsPtr / 8 + i] = firstMs + i * stepMs + jitterMs(i);
          f64[vsPtr / 8 + i] = valueAt((firstMs + i * stepMs) / 1000);
        }
        bytes += kernel.encodeChunk(encoding, { tsPtr, vsPtr, count: samples }, outPtr, capacity);
      }
      return bytes / values.length / samples;
    }) as [number, number];
    const figures = [xor, xor2].map((bytes) => bytes.toFixed(3).padStart(8)).join(" ");
    console.log(`${name.padEnd(40)} ${figures} B per sample, ${(xor2 / xor).toFixed(2)} ×`);
  }
}
