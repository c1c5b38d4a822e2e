/**
 * A quantile sketch with logarithmic bins: every value is off by at most RELATIVE_ERROR, whatever the distribution.
 * Values outside ±[VALUE_MIN, VALUE_MAX] fall into the bin at that end, so the number of bins is bounded (about 2,400
 * on each side of zero) and a hostile stream of values cannot make it grow.
 */

const RELATIVE_ERROR = 0.01;
const VALUE_MIN = 1e-9;
const VALUE_MAX = 1e12;

const GAMMA = (1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR);
const LOG_GAMMA = Math.log(GAMMA);

export class QuantileSketch {
  count = 0;
  #zeros = 0;
  readonly #positive = new Map<number, number>();
  readonly #negative = new Map<number, number>();

  add(value: number): void {
    if (Number.isNaN(value)) return;
    this.count++;
    const size = Math.abs(value);
    if (size < VALUE_MIN) {
      this.#zeros++;
      return;
    }
    const bins = value > 0 ? this.#positive : this.#negative;
    const bin = Math.ceil(Math.log(Math.min(size, VALUE_MAX)) / LOG_GAMMA);
    bins.set(bin, (bins.get(bin) ?? 0) + 1);
  }

  merge(other: QuantileSketch): void {
    this.count += other.count;
    this.#zeros += other.#zeros;
    addBins(this.#positive, other.#positive);
    addBins(this.#negative, other.#negative);
  }

  clear(): void {
    this.count = 0;
    this.#zeros = 0;
    this.#positive.clear();
    this.#negative.clear();
  }

  /** The value at each of the ascending `quantiles` (0…1); NaN where nothing was added. */
  quantiles(quantiles: readonly number[]): number[] {
    if (this.count === 0) return quantiles.map(() => NaN);
    const bins = this.#ascending();
    return quantiles.map((quantile) => {
      const rank = Math.max(1, Math.ceil(quantile * this.count));
      let seen = 0;
      for (const [value, count] of bins) {
        seen += count;
        if (seen >= rank) return value;
      }
      return bins.at(-1)![0];
    });
  }

  #ascending(): [value: number, count: number][] {
    const negative = [...this.#negative].map(([bin, count]) => [-binValue(bin), count] as [number, number]);
    const positive = [...this.#positive].map(([bin, count]) => [binValue(bin), count] as [number, number]);
    return [...negative, [0, this.#zeros] as [number, number], ...positive].sort((a, b) => a[0] - b[0]);
  }
}

/** The value in a bin that is nearest, relatively, to both of its ends. */
function binValue(bin: number): number {
  return (2 * GAMMA ** bin) / (GAMMA + 1);
}

function addBins(into: Map<number, number>, from: ReadonlyMap<number, number>): void {
  for (const [bin, count] of from) into.set(bin, (into.get(bin) ?? 0) + count);
}
