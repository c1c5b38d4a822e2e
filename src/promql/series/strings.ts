import type { SymbolView } from "../../storage/index.ts";

/**
 * The label names and values that one query touches, numbered from 0. Within a query two numbers are equal exactly when
 * their strings are, whatever storage they came from, so label sets are compared and grouped as numbers.
 */
export class Strings {
  /** Undefined while there are none: a query that only prints what it selects has none. */
  #numbers: Map<string, number> | undefined;
  readonly #texts: string[] = [];

  get count(): number {
    return this.#texts.length;
  }

  number(text: string): number {
    const numbers = (this.#numbers ??= new Map());
    let number = numbers.get(text);
    if (number === undefined) {
      number = this.#texts.length;
      this.#texts.push(text);
      numbers.set(text, number);
    }
    return number;
  }

  text(number: number): string {
    return this.#texts[number]!;
  }
}

/** Translates the symbols of one series set into the query's numbers; each symbol's text is fetched once. */
export class SymbolNumbers {
  readonly #strings: Strings;
  readonly #view: SymbolView;
  #numbers: Map<number, number> | undefined;

  constructor(strings: Strings, view: SymbolView) {
    this.#strings = strings;
    this.#view = view;
  }

  number(symbol: number): number {
    const numbers = (this.#numbers ??= new Map());
    let number = numbers.get(symbol);
    if (number === undefined) {
      number = this.#strings.number(this.#view.text(symbol));
      numbers.set(symbol, number);
    }
    return number;
  }
}
