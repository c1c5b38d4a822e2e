import { orderByKey } from "../order-by-key.ts";
import { PairInterner } from "./pair-interner.ts";

const capacityMin = 1024;

/** Lists by their place in the order of the pairs. */
export interface SortedPostings {
  readonly count: number;
  name(place: number): number;
  value(place: number): number;
  refs(place: number): Uint32Array;
}

/** For each label pair the refs of its series, gathered as series come in the order of their refs. */
export class PostingsLists {
  /** Names and values of the pairs, by number. */
  readonly #pairs = new PairInterner();
  /** The labels' pairs of one series behind those of another, and where each series' end. */
  readonly #numbers = new U32List();
  readonly #ends = new U32List();
  readonly #refs = new U32List();
  /** Labels of the series that was added last, and their pairs. */
  readonly #lastWords: number[] = [];
  readonly #lastNumbers: number[] = [];

  /** All series. */
  get all(): Uint32Array {
    return this.#refs.view();
  }

  /** Adds a series whose labels are the `count` symbols from `at` on: name, value, name, value …. */
  add(words: Uint32Array, at: number, count: number, ref: number): void {
    const pairs = this.#pairs;
    const lastWords = this.#lastWords;
    const lastNumbers = this.#lastNumbers;
    for (let i = 0; i < count; i += 2) {
      const name = words[at + i]!;
      const value = words[at + i + 1]!;
      // Neighbours share most of their labels.
      if (lastWords[i] === name && lastWords[i + 1] === value) pairs.counts[lastNumbers[i >>> 1]!]!++;
      else {
        lastNumbers[i >>> 1] = pairs.add(name, value);
        lastWords[i] = name;
        lastWords[i + 1] = value;
      }
      this.#numbers.push(lastNumbers[i >>> 1]!);
    }
    this.#ends.push(this.#numbers.length);
    this.#refs.push(ref);
  }

  /** The lists in the order of the pairs, whose names and values are below `symbols`. Nothing may be added afterwards. */
  sorted(symbols: number): SortedPostings {
    const { firsts, seconds, counts, size } = this.#pairs;
    const unordered = Uint32Array.from({ length: size }, (_, pair) => pair);
    const order = orderByKey(orderByKey(unordered, seconds, symbols), firsts, symbols);
    const starts = new Float64Array(size + 1);
    for (let pair = 0; pair < size; pair++) starts[pair + 1] = starts[pair]! + counts[pair]!;
    const lists = this.#gather(starts.slice());
    return {
      count: size,
      name: (place) => firsts[order[place]!]!,
      value: (place) => seconds[order[place]!]!,
      refs: (place) => lists.subarray(starts[order[place]!], starts[order[place]! + 1]),
    };
  }

  /** The lists one behind the other; `next` says where each begins. */
  #gather(next: Float64Array): Uint32Array {
    const numbers = this.#numbers.view();
    const ends = this.#ends.view();
    const refs = this.#refs.view();
    const lists = new Uint32Array(numbers.length);
    for (let series = 0, at = 0; series < refs.length; series++)
      for (const end = ends[series]!; at < end; at++) lists[next[numbers[at]!]!++] = refs[series]!;
    return lists;
  }
}

/** Numbers outside of the heap. */
class U32List {
  length = 0;
  #values = new Uint32Array(capacityMin);

  push(value: number): void {
    if (this.length === this.#values.length) {
      const larger = new Uint32Array(2 * this.length);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.length++] = value;
  }

  view(): Uint32Array {
    return this.#values.subarray(0, this.length);
  }
}
