const capacityMin = 1024;
const free = 0xffffffff;

/** Numbers pairs of u32 from 0, in the order in which they come up. */
export class PairInterner {
  /** By number: the pair, and how often it came up. */
  firsts = new Uint32Array(capacityMin);
  seconds = new Uint32Array(capacityMin);
  counts = new Uint32Array(capacityMin);
  size = 0;
  /** Open addressing, at most half full; numbers of pairs. */
  #slots = new Uint32Array(2 * capacityMin).fill(free);

  /** The pair's number; counts this occurrence. */
  add(first: number, second: number): number {
    let slot = this.#slot(first, second);
    let number = this.#slots[slot]!;
    if (number === free) {
      if (this.size === this.firsts.length) {
        this.#grow();
        slot = this.#slot(first, second);
      }
      number = this.size++;
      this.#slots[slot] = number;
      this.firsts[number] = first;
      this.seconds[number] = second;
    }
    this.counts[number]!++;
    return number;
  }

  /** Where the pair is, or would go. */
  #slot(first: number, second: number): number {
    const mask = this.#slots.length - 1;
    let hash = Math.imul(first, 0x9e3779b1) ^ Math.imul(second, 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 15), 0xc2b2ae35);
    for (let slot = (hash ^ (hash >>> 13)) & mask; ; slot = (slot + 1) & mask) {
      const number = this.#slots[slot]!;
      if (number === free || (this.firsts[number] === first && this.seconds[number] === second)) return slot;
    }
  }

  #grow(): void {
    this.firsts = doubled(this.firsts);
    this.seconds = doubled(this.seconds);
    this.counts = doubled(this.counts);
    this.#slots = new Uint32Array(2 * this.#slots.length).fill(free);
    for (let number = 0; number < this.size; number++)
      this.#slots[this.#slot(this.firsts[number]!, this.seconds[number]!)] = number;
  }
}

function doubled(array: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(array.length * 2);
  larger.set(array);
  return larger;
}
