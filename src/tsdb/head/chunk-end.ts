/** What decides about the end of an open chunk that TypeScript encodes. Times in milliseconds. */
export interface ChunkEnd {
  readonly firstMs: number;
  lastMs: number;
  /** The first sample at or after this time begins a new chunk. */
  nextCutMs: number;
  hasForecast: boolean;
}

/** For a chunk that begins with a sample of this time, and does not cross a multiple of `chunkRangeMs`. */
export function openEnd(timestampMs: number, chunkRangeMs: number): ChunkEnd {
  const nextCutMs = rangeEndMs(timestampMs, chunkRangeMs);
  return { firstMs: timestampMs, lastMs: timestampMs, nextCutMs, hasForecast: false };
}

/** Once: spreads the samples that are still to come in the range evenly over chunks, where the chunk is full to one part in `ratioToFull`. */
export function forecastEnd(end: ChunkEnd, ratioToFull: number): void {
  if (end.hasForecast) return;
  end.hasForecast = true;
  const { firstMs, lastMs, nextCutMs } = end;
  const chunks = (nextCutMs - firstMs) / ((lastMs - firstMs + 1) * ratioToFull);
  if (chunks > 1) end.nextCutMs = Math.trunc(firstMs + (nextCutMs - firstMs) / Math.floor(chunks));
}

export function rangeEndMs(timestampMs: number, chunkRangeMs: number): number {
  return Math.trunc(timestampMs / chunkRangeMs) * chunkRangeMs + chunkRangeMs;
}
