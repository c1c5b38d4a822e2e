/** Node's `util.inspect.custom`, by its registered name, so that this runs where there is no Node. */
const inspectCustom = Symbol.for("nodejs.util.inspect.custom");

/** What every printed secret looks like, as upstream shows it. */
export const secretMask = "<secret>";

/**
 * A password, token or key. However it is printed, logged, serialised or inspected, only the mask comes out; the
 * value leaves by `reveal()` alone, so a search for that word lists every use.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return secretMask;
  }

  toJSON(): string {
    return secretMask;
  }

  [inspectCustom](): string {
    return secretMask;
  }
}
