/** Go sorts up to so many by insertion. */
const insertionMax = 12;

/**
 * The k best of a stream of values, worst on top; NaN is worse than anything, another NaN too. Ties are decided as a binary heap that is
 * pushed to and repaired from the top decides them.
 */
export class BestHeap {
  readonly series: number[] = [];
  readonly values: number[] = [];
  readonly #largest: boolean;

  constructor(largest: boolean) {
    this.#largest = largest;
  }

  offer(k: number, series: number, value: number): void {
    if (this.values.length < k) {
      this.values.push(value);
      this.series.push(series);
      this.#rise(this.values.length - 1);
      return;
    }
    const top = this.values[0]!;
    const better = this.#largest ? top < value : top > value;
    if (!better && !(Number.isNaN(top) && !Number.isNaN(value))) return;
    this.values[0] = value;
    this.series[0] = series;
    this.#sink();
  }

  /** Places in `series` and `values`, best first; of a few, equal ones come as Go's insertion sort leaves them. */
  order(): number[] {
    const places = this.values.map((_, place) => place);
    if (places.length > insertionMax)
      return places.sort((a, b) => Number(this.#worse(a, b)) - Number(this.#worse(b, a)));
    for (let i = 1; i < places.length; i++) {
      for (let j = i; j > 0 && this.#worse(places[j - 1]!, places[j]!); j--)
        [places[j - 1], places[j]] = [places[j]!, places[j - 1]!];
    }
    return places;
  }

  clear(): void {
    this.series.length = 0;
    this.values.length = 0;
  }

  #worse(a: number, b: number): boolean {
    const x = this.values[a]!;
    const y = this.values[b]!;
    if (Number.isNaN(x)) return true;
    return this.#largest ? x < y : x > y;
  }

  #swap(a: number, b: number): void {
    [this.values[a], this.values[b]] = [this.values[b]!, this.values[a]!];
    [this.series[a], this.series[b]] = [this.series[b]!, this.series[a]!];
  }

  #rise(place: number): void {
    let at = place;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#worse(at, parent)) return;
      this.#swap(at, parent);
      at = parent;
    }
  }

  #sink(): void {
    const { length } = this.values;
    let at = 0;
    for (;;) {
      let worst = 2 * at + 1;
      if (worst >= length) return;
      if (worst + 1 < length && this.#worse(worst + 1, worst)) worst++;
      if (!this.#worse(worst, at)) return;
      this.#swap(at, worst);
      at = worst;
    }
  }
}
