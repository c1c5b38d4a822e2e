import { assert } from "../../base/index.ts";
import { compareStrings } from "../../model/index.ts";
import { compareBytes, ByteWriter } from "./bytes.ts";

const capacityMin = 1024;
const empty = new Uint8Array(0);

/** The strings of an index in the order of their bytes, each once; the empty one comes first, as in upstream's blocks. A symbol is a string's place. None is in the heap. */
export class IndexSymbols {
  /** How many there are. */
  length = 0;
  readonly #bytes = new ByteWriter();
  /** Where each ends. */
  #ends = new Uint32Array(capacityMin);

  constructor() {
    this.add(empty);
  }

  /** Of texts in any order. */
  static of(texts: Iterable<string>): IndexSymbols {
    const symbols = new IndexSymbols();
    for (const text of [...new Set(texts)].sort(compareStrings))
      if (text !== "") symbols.add(Buffer.from(text));
    return symbols;
  }

  /** Adds a string that comes behind the others, and returns its symbol. */
  add(bytes: Uint8Array): number {
    if (this.length === this.#ends.length) {
      const larger = new Uint32Array(2 * this.length);
      larger.set(this.#ends);
      this.#ends = larger;
    }
    this.#bytes.bytes(bytes);
    this.#ends[this.length] = this.#bytes.length;
    return this.length++;
  }

  /** A view, good until the next is added. */
  bytesOf(symbol: number): Buffer {
    const start = symbol === 0 ? 0 : this.#ends[symbol - 1];
    return this.#bytes.view().subarray(start, this.#ends[symbol]);
  }

  text(symbol: number): string {
    return this.bytesOf(symbol).toString();
  }

  /** The symbol of a string, which must be there. */
  symbolOf(text: string): number {
    const key = Buffer.from(text);
    let low = 0;
    let high = this.length;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      const bytes = this.bytesOf(middle);
      if (compareBytes(bytes, 0, bytes.length, key) <= 0) low = middle;
      else high = middle;
    }
    assert(this.bytesOf(low).equals(key), "the string is among the symbols");
    return low;
  }

  /** Symbols of names and values. */
  symbolsOf(pairs: readonly string[]): Uint32Array {
    return Uint32Array.from(pairs, (text) => this.symbolOf(text));
  }
}
