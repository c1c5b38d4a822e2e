/** Parameters by name. */
export type Params = Pick<URLSearchParams, "get">;

/**
 * The parameters of a plain request, what `URLSearchParams` would make of them. A value is decoded when it is asked for, which takes a fraction of the
 * time.
 */
export class PlainParams implements Params {
  readonly #names: string[] = [];
  /** As they were sent. */
  readonly #values: string[] = [];

  /** Those of a form come before those of the URL, as in Go's `r.Form`. */
  constructor(query: string, form = "") {
    this.#take(form);
    this.#take(query);
  }

  get(name: string): string | null {
    const at = this.#names.indexOf(name);
    return at < 0 ? null : decode(this.#values[at]!);
  }

  #take(encoded: string): void {
    for (let start = 0; start < encoded.length;) {
      const next = encoded.indexOf("&", start);
      const end = next < 0 ? encoded.length : next;
      const equals = encoded.indexOf("=", start);
      const hasValue = equals >= 0 && equals < end;
      if (end > start) {
        this.#names.push(decode(encoded.slice(start, hasValue ? equals : end)));
        this.#values.push(hasValue ? encoded.slice(equals + 1, end) : "");
      }
      start = end + 1;
    }
  }
}

function decode(text: string): string {
  const spaced = text.includes("+") ? text.replaceAll("+", " ") : text;
  if (!spaced.includes("%")) return spaced;
  try {
    return decodeURIComponent(spaced);
  } catch {
    // What is no UTF-8, or no escape at all, has a meaning to it, too.
    return new URLSearchParams(`=${text}`).get("")!;
  }
}
