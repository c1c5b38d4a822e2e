import { NarthexError } from "../base/index.ts";
import { seriesMaxDefault } from "./head/head.ts";
import { layout } from "../kernel/index.ts";
import type { Retention } from "./maintenance/retention-policy.ts";
import type { WalCompression } from "./wal/compression.ts";
import { readAheadBytesMinDefault } from "./wal/read-ahead.ts";
import { pageBytes, segmentBytesDefault, segmentBytesMax, segmentBytesMin } from "./wal/segment.ts";

export interface ExemplarLimits {
  /** Exemplars that are kept in memory, of all series together; 0 keeps none. Default 0. */
  exemplarsMax: number;
  /** How much older than its series' newest an exemplar may be. Default 0. */
  exemplarWindowMs: number;
}

/** How new chunks of floats are encoded. */
export type FloatEncodingName = keyof typeof floatEncodings;
export const floatEncodings = { xor: layout.chunkEncodingXor, xor2: layout.chunkEncodingXor2 } as const;

export interface TsdbOptions extends Partial<ExemplarLimits> {
  /** Blocks go as a whole, samples of the head a chunk range at a time. Default 15 days. */
  retention?: Partial<Retention>;
  /** No chunk crosses a multiple of this. Default 2 h. */
  chunkRangeMs?: number;
  /** The widest that compaction makes blocks; 0 stands for a tenth of the retention, at most 31 days. Default 0. */
  blockRangeMsMax?: number;
  /** Default 120. */
  samplesPerChunk?: number;
  /** Default XOR. Open chunks, and those that are stored, stay what they are. */
  floatEncoding?: FloatEncodingName;
  walCompression?: WalCompression;
  /** Default 128 MiB, from 10 to 256 MiB, rounded down to whole pages. */
  walSegmentBytes?: number;
  /** How often the WAL is synced to the medium: what a power cut may cost. Default 1 s. */
  walSyncIntervalMs?: number;
  /** From so many bytes on the WAL is replayed with the help of another thread. Default 8 MiB: less is read before a thread has begun. */
  readAheadBytesMin?: number;
  /** Samples that lie further ahead of the clock are refused. Default 10 min. */
  futureMaxMs?: number;
  /** Samples before are in blocks: they are not replayed, and refused. Default none. */
  minValidTimeMs?: number;
  /** Default 67 million, the slots there are. */
  seriesMax?: number;
  /** Samples that one batch of an appender holds. Default 16,384. */
  batchSamples?: number;
  /** Whether what targets say about their metrics is kept, in the log too. Default false. */
  keepsMetadata?: boolean;
  /** Whether a counter gets a zero at the time since when it counts, where that is known and newer than its last sample. Default false. */
  zeroesStarts?: boolean;
  /** Whether it is stored with samples since when they count. Default false. */
  storesStarts?: boolean;
  /** How much older than the newest sample one may be that comes out of order; 0 refuses those. Default 0. */
  outOfOrderWindowMs?: number;
  /** Share of the shared memory above which the oldest samples go before their time. Default 0.85. */
  memoryPressureRatio?: number;
}

const defaults = {
  retention: { timeMs: 15 * 86_400_000 },
  chunkRangeMs: 7_200_000,
  blockRangeMsMax: 0,
  samplesPerChunk: 120,
  floatEncoding: "xor",
  walCompression: "snappy",
  walSegmentBytes: segmentBytesDefault,
  walSyncIntervalMs: 1000,
  readAheadBytesMin: readAheadBytesMinDefault,
  futureMaxMs: 600_000,
  minValidTimeMs: -Infinity,
  seriesMax: seriesMaxDefault,
  batchSamples: 16_384,
  exemplarsMax: 0,
  exemplarWindowMs: 0,
  keepsMetadata: false,
  zeroesStarts: false,
  storesStarts: false,
  outOfOrderWindowMs: 0,
  memoryPressureRatio: 0.85,
} as const satisfies Required<TsdbOptions>;

/** Fills in defaults. Throws `bad_data` naming the option that is out of range. */
export function resolveOptions(given: TsdbOptions = {}): Required<TsdbOptions> {
  const options = { ...defaults, ...given };
  const { walSegmentBytes, chunkRangeMs } = options;
  if (walSegmentBytes < segmentBytesMin || walSegmentBytes > segmentBytesMax)
    throw new NarthexError(
      "bad_data",
      `WAL segment size must be between ${segmentBytesMin} and ${segmentBytesMax} bytes, got ${walSegmentBytes}`,
    );
  if (!(chunkRangeMs > 0))
    throw new NarthexError("bad_data", `chunk range must be positive, got ${chunkRangeMs} ms`);
  return { ...options, walSegmentBytes: walSegmentBytes - (walSegmentBytes % pageBytes) };
}
