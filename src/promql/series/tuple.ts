import type { LabelFilter } from "./label-filter.ts";

/** A label set as numbers of `Strings`: name, value, name, value …, sorted by name. A reusable buffer that grows. */
export class Tuple {
  numbers = new Int32Array(32);
  length = 0;

  push(name: number, value: number): void {
    if (this.length + 2 > this.numbers.length) {
      const grown = new Int32Array(this.numbers.length * 2);
      grown.set(this.numbers);
      this.numbers = grown;
    }
    this.numbers[this.length++] = name;
    this.numbers[this.length++] = value;
  }

  /** The value of a label, or -1. */
  get(name: number): number {
    for (let i = 0; i < this.length; i += 2) if (this.numbers[i] === name) return this.numbers[i + 1]!;
    return -1;
  }
}

/** Distinct tuples, numbered from 0 in the order in which they came. */
export class TupleTable {
  /** Ordinal + 1 by hash, open addressing; 0 = empty. */
  #slots = new Int32Array(16);
  #hashes = new Int32Array(8);
  #offsets = new Int32Array(9);
  #numbers = new Int32Array(64);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** The ordinal of this tuple, which is new when it equals the previous `count`. */
  intern(tuple: Tuple): number {
    const hash = hashNumbers(tuple.numbers, tuple.length);
    const mask = this.#slots.length - 1;
    let slot = hash & mask;
    for (let entry = this.#slots[slot]!; entry !== 0; entry = this.#slots[slot]!) {
      if (this.#hashes[entry - 1] === hash && this.#equals(entry - 1, tuple)) return entry - 1;
      slot = (slot + 1) & mask;
    }
    return this.#add(tuple, hash, slot);
  }

  /** Appends to `out` the labels of the tuple with this ordinal that pass `filter`. */
  append(ordinal: number, out: Tuple, filter?: LabelFilter): void {
    for (let i = this.#offsets[ordinal]!; i < this.#offsets[ordinal + 1]!; i += 2) {
      const name = this.#numbers[i]!;
      if (filter === undefined || filter.passes(name)) out.push(name, this.#numbers[i + 1]!);
    }
  }

  /** Whether any of the tuples has one of the labels. */
  hasAny(names: readonly number[]): boolean {
    const end = this.#offsets[this.#count]!;
    for (let i = 0; i < end; i += 2) if (names.includes(this.#numbers[i]!)) return true;
    return false;
  }

  #equals(ordinal: number, tuple: Tuple): boolean {
    const start = this.#offsets[ordinal]!;
    if (this.#offsets[ordinal + 1]! - start !== tuple.length) return false;
    for (let i = 0; i < tuple.length; i++) if (this.#numbers[start + i] !== tuple.numbers[i]) return false;
    return true;
  }

  #add(tuple: Tuple, hash: number, slot: number): number {
    const ordinal = this.#count++;
    if (ordinal + 2 > this.#offsets.length) this.#offsets = grow(this.#offsets, ordinal + 2);
    if (ordinal + 1 > this.#hashes.length) this.#hashes = grow(this.#hashes, ordinal + 1);
    const start = this.#offsets[ordinal]!;
    const end = start + tuple.length;
    if (end > this.#numbers.length) this.#numbers = grow(this.#numbers, end);
    for (let i = 0; i < tuple.length; i++) this.#numbers[start + i] = tuple.numbers[i]!;
    this.#offsets[ordinal + 1] = end;
    this.#hashes[ordinal] = hash;
    this.#slots[slot] = ordinal + 1;
    if (this.#count * 2 > this.#slots.length) this.#rehash();
    return ordinal;
  }

  #rehash(): void {
    const slots = new Int32Array(this.#slots.length * 2);
    const mask = slots.length - 1;
    for (let ordinal = 0; ordinal < this.#count; ordinal++) {
      let slot = this.#hashes[ordinal]! & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = ordinal + 1;
    }
    this.#slots = slots;
  }
}

function grow(array: Int32Array<ArrayBuffer>, lengthMin: number): Int32Array<ArrayBuffer> {
  const grown = new Int32Array(Math.max(lengthMin, array.length * 2));
  grown.set(array);
  return grown;
}

function hashNumbers(numbers: Int32Array, length: number): number {
  let hash = 0x9e3779b9 ^ length;
  for (let i = 0; i < length; i++) {
    hash = Math.imul(hash ^ numbers[i]!, 0x85ebca6b);
    hash ^= hash >>> 13;
  }
  hash = Math.imul(hash, 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) | 0;
}
