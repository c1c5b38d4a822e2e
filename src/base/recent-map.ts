/**
 * A map of what was used lately, bounded by weight. What is used is recent; when that is too much it becomes old, and old entries that are not
 * used until the next time are forgotten. It holds up to twice the bound.
 */
export class RecentMap<K, V> {
  readonly #weightMax: number;
  readonly #weigh: (value: V) => number;
  #recent = new Map<K, V>();
  #old = new Map<K, V>();
  #weight = 0;

  /** Values weigh 1 each unless `weigh` tells otherwise. */
  constructor(weightMax: number, weigh: (value: V) => number = () => 1) {
    this.#weightMax = weightMax;
    this.#weigh = weigh;
  }

  get(key: K): V | undefined {
    const recent = this.#recent.get(key);
    if (recent !== undefined) return recent;
    const old = this.#old.get(key);
    if (old !== undefined) this.set(key, old);
    return old;
  }

  set(key: K, value: V): void {
    if (this.#weight >= this.#weightMax) {
      this.#old = this.#recent;
      this.#recent = new Map();
      this.#weight = 0;
    }
    const known = this.#recent.get(key);
    if (known !== undefined) this.#weight -= this.#weigh(known);
    this.#recent.set(key, value);
    this.#weight += this.#weigh(value);
  }

  clear(): void {
    this.#recent.clear();
    this.#old.clear();
    this.#weight = 0;
  }
}
