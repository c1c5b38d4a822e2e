import { compareStrings } from "../model/index.ts";
import type { SymbolView } from "./storage.ts";

/** One numbering of the strings of several sets. */
export class MergedSymbols implements SymbolView {
  readonly #views: readonly SymbolView[];
  readonly #texts: string[] = [];
  readonly #numbers = new Map<string, number>();
  /** Per set: its number of a string → ours. */
  readonly #translations: Map<number, number>[];
  #buffer = new Uint32Array(64);

  constructor(views: readonly SymbolView[]) {
    this.#views = views;
    this.#translations = views.map(() => new Map());
  }

  text(symbol: number): string {
    return this.#texts[symbol]!;
  }

  find(text: string): number | undefined {
    const known = this.#numbers.get(text);
    if (known !== undefined) return known;
    // Sets may hold strings of series that nobody has looked at yet.
    return this.#views.some((view) => view.find(text) !== undefined) ? this.#number(text) : undefined;
  }

  get count(): number {
    return this.#texts.length;
  }

  /** Symbols of a set in our numbers; good until the next call. */
  translate(child: number, symbols: Uint32Array): Uint32Array {
    if (symbols.length > this.#buffer.length) this.#buffer = new Uint32Array(symbols.length * 2);
    const translation = this.#translations[child]!;
    for (let i = 0; i < symbols.length; i++) {
      const symbol = symbols[i]!;
      let number = translation.get(symbol);
      if (number === undefined) {
        number = this.#number(this.#views[child]!.text(symbol));
        translation.set(symbol, number);
      }
      this.#buffer[i] = number;
    }
    return this.#buffer.subarray(0, symbols.length);
  }

  /** By number: the place of its string among all strings, in their order. */
  ranks(): Uint32Array {
    const texts = this.#texts;
    const ordered = Uint32Array.from(texts.keys()).sort((a, b) => compareStrings(texts[a]!, texts[b]!));
    const ranks = new Uint32Array(ordered.length);
    ordered.forEach((symbol, rank) => (ranks[symbol] = rank));
    return ranks;
  }

  #number(text: string): number {
    let number = this.#numbers.get(text);
    if (number === undefined) {
      number = this.#texts.push(text) - 1;
      this.#numbers.set(text, number);
    }
    return number;
  }
}
