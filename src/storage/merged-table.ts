import type { MergedSymbols } from "./merged-symbols.ts";

const none = 0xffffffff;

/** Label sets, each once, with the series of the children that have it: typed arrays, as there may be very many. */
export class SeriesTable {
  count = 0;
  /** By series: where its labels begin in `#labels`; one more for the end. */
  #starts = new Uint32Array(1025);
  #labels = new Uint32Array(16_384);
  /** By series: its first part. By part: child, series there, next part of the same series. */
  #firstParts = new Uint32Array(1024);
  #parts = new Uint32Array(3 * 1024);
  #partCount = 0;
  /** Open addressing, at most half full. */
  #slots = new Uint32Array(2048).fill(none);

  add(labels: Uint32Array, child: number, childSeries: number): void {
    const slot = this.#slot(labels);
    let series = this.#slots[slot]!;
    if (series === none) {
      series = this.#create(labels);
      this.#slots[slot] = series;
      if (this.count * 2 > this.#slots.length) this.#rehash();
    }
    this.#addPart(series, child, childSeries);
  }

  labels(series: number): Uint32Array {
    return this.#labels.subarray(this.#starts[series], this.#starts[series + 1]);
  }

  /** Calls with the parts of a series in the order of the children. */
  forEachPart(series: number, visit: (child: number, childSeries: number) => void): void {
    for (let part = this.#firstParts[series]!; part !== none; part = this.#parts[3 * part + 2]!)
      visit(this.#parts[3 * part]!, this.#parts[3 * part + 1]!);
  }

  /** The series in the order of their labels. */
  order(symbols: MergedSymbols): Uint32Array {
    const ranks = symbols.ranks();
    const labels = this.#labels;
    const starts = this.#starts;
    return Uint32Array.from({ length: this.count }, (_, series) => series).sort((a, b) => {
      let atA = starts[a]!;
      let atB = starts[b]!;
      const endA = starts[a + 1]!;
      const endB = starts[b + 1]!;
      for (; atA < endA && atB < endB; atA++, atB++)
        if (labels[atA] !== labels[atB]) return ranks[labels[atA]!]! - ranks[labels[atB]!]!;
      return endA - atA - (endB - atB);
    });
  }

  #create(labels: Uint32Array): number {
    const series = this.count++;
    if (series === this.#firstParts.length) {
      this.#firstParts = grown(this.#firstParts);
      this.#starts = grown(this.#starts);
    }
    const start = this.#starts[series]!;
    if (start + labels.length > this.#labels.length) this.#labels = grown(this.#labels, labels.length);
    this.#labels.set(labels, start);
    this.#starts[series + 1] = start + labels.length;
    this.#firstParts[series] = none;
    return series;
  }

  #addPart(series: number, child: number, childSeries: number): void {
    const part = this.#partCount++;
    if (3 * part === this.#parts.length) this.#parts = grown(this.#parts);
    this.#parts[3 * part] = child;
    this.#parts[3 * part + 1] = childSeries;
    this.#parts[3 * part + 2] = none;
    let last = this.#firstParts[series]!;
    if (last === none) {
      this.#firstParts[series] = part;
      return;
    }
    while (this.#parts[3 * last + 2] !== none) last = this.#parts[3 * last + 2]!;
    this.#parts[3 * last + 2] = part;
  }

  /** Where the label set is, or would go. */
  #slot(labels: Uint32Array): number {
    const mask = this.#slots.length - 1;
    for (let slot = hashOf(labels) & mask; ; slot = (slot + 1) & mask) {
      const series = this.#slots[slot]!;
      if (series === none || this.#equals(series, labels)) return slot;
    }
  }

  #equals(series: number, labels: Uint32Array): boolean {
    const start = this.#starts[series]!;
    if (this.#starts[series + 1]! - start !== labels.length) return false;
    for (let i = 0; i < labels.length; i++) if (this.#labels[start + i] !== labels[i]) return false;
    return true;
  }

  #rehash(): void {
    this.#slots = new Uint32Array(2 * this.#slots.length).fill(none);
    for (let series = 0; series < this.count; series++) this.#slots[this.#slot(this.labels(series))] = series;
  }
}

function hashOf(labels: Uint32Array): number {
  let hash = labels.length;
  for (const symbol of labels) hash = Math.imul(hash ^ symbol, 0x9e3779b1) ^ (hash >>> 15);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return hash ^ (hash >>> 13);
}

function grown(array: Uint32Array<ArrayBuffer>, atLeast = 0): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(array.length * 2 + atLeast);
  larger.set(array);
  return larger;
}
