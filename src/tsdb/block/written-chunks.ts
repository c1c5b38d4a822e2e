/** How many values there were up to each of some bounds, and beyond the last; and their sum. */
export interface Distribution {
  readonly counts: readonly number[];
  readonly sum: number;
}

/** What became of chunks that were written to blocks for the first time. */
export interface WrittenChunks {
  /** From the first to the last sample, milliseconds. */
  readonly rangesMs: Distribution;
  readonly samples: Distribution;
  /** Of their data. */
  readonly bytes: Distribution;
}

/** As upstream's. */
export const writtenChunkBounds = {
  rangesMs: exponentialBounds(100, 4, 10),
  samples: exponentialBounds(4, 1.5, 12),
  bytes: exponentialBounds(32, 1.5, 12),
} as const satisfies Record<keyof WrittenChunks, readonly number[]>;

/** Counts chunks as they are written. */
export class WrittenChunksCounter {
  readonly #rangesMs = new Counter(writtenChunkBounds.rangesMs);
  readonly #samples = new Counter(writtenChunkBounds.samples);
  readonly #bytes = new Counter(writtenChunkBounds.bytes);

  add(samples: number, dataBytes: number, rangeMs: number): void {
    this.#rangesMs.add(rangeMs);
    this.#samples.add(samples);
    this.#bytes.add(dataBytes);
  }

  /** What was counted, as it can go to another thread. */
  get result(): WrittenChunks {
    return { rangesMs: this.#rangesMs.result, samples: this.#samples.result, bytes: this.#bytes.result };
  }
}

class Counter {
  readonly #bounds: readonly number[];
  readonly #counts: number[];
  #sum = 0;
  /** Where the last one went: the next mostly goes there too. */
  #place = 0;

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = Array.from({ length: bounds.length + 1 }, () => 0);
  }

  get result(): Distribution {
    return { counts: this.#counts, sum: this.#sum };
  }

  add(value: number): void {
    const bounds = this.#bounds;
    while (this.#place > 0 && value <= bounds[this.#place - 1]!) this.#place--;
    while (this.#place < bounds.length && value > bounds[this.#place]!) this.#place++;
    this.#counts[this.#place]!++;
    this.#sum += value;
  }
}

function exponentialBounds(first: number, factor: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => first * factor ** i);
}
