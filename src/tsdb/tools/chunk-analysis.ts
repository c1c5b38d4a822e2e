import type { Block } from "../block/block.ts";
import { ChunkWindow } from "../block/chunk-window.ts";
import type { SeriesEntry } from "../block/series-entry.ts";
import { decodeHistogramChunk } from "../chunk/histogram-decode.ts";
import type { HistogramEncoding } from "../chunk/histogram-encoding.ts";

/** How many samples, bytes and buckets the chunks of the series have, as lists of ranges. Throws BlockDamagedError. */
export function formatChunkAnalysis(
  block: Block,
  refs: Uint32Array,
  read: (ref: number) => SeriesEntry,
): string {
  const floats = { samples: [] as number[], bytes: [] as number[] };
  const histograms = { samples: [] as number[], bytes: [] as number[], buckets: [] as number[] };
  let total = 0;
  const window: ChunkWindow = new ChunkWindow(block.context.kernel, block.segments);
  try {
    for (const ref of refs) {
      const { chunkRefs, chunkCount } = read(ref);
      for (let chunk = 0; chunk < chunkCount; chunk++) {
        window.find(chunkRefs[chunk]!, chunkRefs[chunkCount - 1]!);
        window.verify();
        total++;
        const { codec, encoding } = window;
        if (codec === undefined) window.fail(`chunk encoding ${encoding} is unknown`);
        const kind = codec.kind === "float" ? floats : histograms;
        kind.samples.push(window.sampleCount);
        kind.bytes.push(window.dataBytes);
        if (kind === histograms) histograms.buckets.push(bucketCount(window));
      }
    }
  } finally {
    window.close();
  }
  return [
    "\nCompaction analysis:\n\n",
    formatSpread("samples per float chunk", floats.samples, total),
    formatSpread("bytes per float chunk", floats.bytes, total),
    formatSpread("samples per histogram chunk", histograms.samples, total),
    formatSpread("bytes per histogram chunk", histograms.bytes, total),
    formatSpread("buckets per histogram chunk", histograms.buckets, total),
  ].join("");
}

/** Buckets of all samples of the histogram chunk in the window, empty ones that are written included. */
function bucketCount(window: ChunkWindow): number {
  const data = window.bytes.slice(1);
  let count = 0;
  for (const { histogram } of decodeHistogramChunk(window.encoding as HistogramEncoding, data))
    count += histogram.positive.indices.length + histogram.negative.indices.length;
  return count;
}

function formatSpread(title: string, values: number[], total: number): string {
  if (values.length === 0) return `${title}: N/A\n\n`;
  values.sort((a, b) => a - b);
  const min = values[0]!;
  const max = values.at(-1)!;
  const step = stepOf(min, max);
  const start = min - (min % step);
  const end = max - (max % step) + step;
  const counts = Array.from({ length: (end - start) / step + 1 }, () => 0);
  let sum = 0;
  for (const value of values) {
    sum += value;
    counts[Math.floor((value - start) / step)]!++;
  }
  const leftWidth = String(end).length;
  const rightWidth = String(end + step).length;
  const countWidth = String(counts.reduce((a, b) => Math.max(a, b))).length;
  const lines = counts.map((count, i) => {
    const left = String(i * step + start + 1).padStart(leftWidth);
    const right = String((i + 1) * step + start).padStart(rightWidth);
    const bar = "#".repeat(Math.floor((100 * count) / total));
    return `[${left}, ${right}]: ${String(count).padStart(countWidth)} ${bar}\n`;
  });
  return `${title} (min/avg/max): ${min}/${Math.floor(sum / values.length)}/${max}\n${lines.join("")}\n`;
}

/** The power of ten, at least 10, that makes about ten ranges. */
function stepOf(min: number, max: number): number {
  const wanted = Math.floor((max - min) / 10);
  let step = 10;
  while (step < wanted && step <= 10_000) step *= 10;
  return step;
}
