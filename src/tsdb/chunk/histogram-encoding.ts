import { ChunkDamagedError } from "../../kernel/index.ts";
import type { CounterReset } from "../../model/index.ts";
import type { HistogramKind } from "../../storage/index.ts";

/** Chunk encodings of native histograms: 2 and 5 hold integer, 3 and 6 float histograms; 5 and 6 with start timestamps. */
export type HistogramEncoding = 2 | 3 | 5 | 6;

export function isHistogramEncoding(encoding: number): encoding is HistogramEncoding {
  return encoding === 2 || encoding === 3 || encoding === 5 || encoding === 6;
}

/** In front of the samples: their number, and flags or what is known of start timestamps. */
export const headerBytes = 3;

/** Where the flags of the header are, and how many samples the number leaves room for. */
export interface HistogramForm {
  readonly flagsByte: number;
  readonly samplesMax: number;
}

const plainForm: HistogramForm = { flagsByte: 2, samplesMax: 65_535 };
const startForm: HistogramForm = { flagsByte: 0, samplesMax: 0x3fff };

/** The upper two bits of the flags: how the first histogram follows the one before the chunk. */
export const headerBits: Readonly<Record<CounterReset, number>> = {
  unknown: 0b00000000,
  not_reset: 0b01000000,
  reset: 0b10000000,
  gauge: 0b11000000,
};
const headers: readonly CounterReset[] = ["unknown", "not_reset", "reset", "gauge"];

/** What is known of resets before the `i`th histogram of a chunk. */
export function hintInChunk(header: CounterReset, i: number): CounterReset {
  return header === "gauge" ? "gauge" : i === 0 ? "unknown" : "not_reset";
}

/** How many samples a chunk's header says it has. */
export function histogramSampleCount(encoding: HistogramEncoding, bytes: Uint8Array): number {
  readHeader(encoding, bytes);
  return ((bytes[0]! << 8) | bytes[1]!) & formOf(encoding).samplesMax;
}

/** How the chunk's first histogram follows the chunk before. */
export function readHeader(encoding: HistogramEncoding, bytes: Uint8Array): CounterReset {
  if (bytes.length < headerBytes)
    throw new ChunkDamagedError(`histogram chunk of ${bytes.length} bytes has no header`);
  return headers[bytes[formOf(encoding).flagsByte]! >>> 6]!;
}

export function histogramKind(encoding: HistogramEncoding): HistogramKind {
  return isFloat(encoding) ? "float" : "integer";
}

/** The encoding for histograms of a kind. */
export function histogramEncoding(kind: HistogramKind, keepsStarts = false): HistogramEncoding {
  if (kind === "float") return keepsStarts ? 6 : 3;
  return keepsStarts ? 5 : 2;
}

export function isFloat(encoding: HistogramEncoding): boolean {
  return encoding === 3 || encoding === 6;
}

export function keepsStarts(encoding: HistogramEncoding): boolean {
  return encoding >= 5;
}

export function formOf(encoding: HistogramEncoding): HistogramForm {
  return keepsStarts(encoding) ? startForm : plainForm;
}
