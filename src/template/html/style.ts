/** Follows CSS text far enough to know where in it a value would stand. */

export type StylePlace = "code" | "string" | "url" | "comment";

export class StyleState {
  #mode: "code" | '"' | "'" | "url" | "/*" = "code";
  /** The quote around the URL being read, if any. */
  #urlQuote = "";
  #escaped = false;
  /** The code's last characters, to recognise `url(`. */
  #tail = "";
  /** The text so far of the URL or string being read: what a value in it may be depends on what stands before it. */
  #quoted = "";

  get place(): StylePlace {
    if (this.#mode === "/*") return "comment";
    if (this.#mode === "code" || this.#mode === "url") return this.#mode;
    return "string";
  }

  get quotedSoFar(): string {
    return this.#quoted;
  }

  value(): void {
    this.#escaped = false;
    this.#tail = "";
    this.#quoted += this.#quoted === "" ? "" : "x";
  }

  feed(text: string): void {
    for (let i = 0; i < text.length; i++) {
      const character = text[i]!;
      const next = text[i + 1] ?? "";
      if (this.#mode === "/*") {
        if (character === "*" && next === "/") {
          this.#mode = "code";
          i++;
        }
      } else if (this.#escaped) this.#escaped = false;
      else if (character === "\\") this.#escaped = true;
      else if (this.#mode === "url") this.#inUrl(character);
      else if (this.#mode !== "code") {
        if (character === this.#mode) this.#mode = "code";
        else this.#quoted += character;
      } else if (character === "/" && next === "*") {
        this.#mode = "/*";
        i++;
      } else this.#inCode(character);
    }
  }

  #inCode(character: string): void {
    this.#tail = (this.#tail + character.toLowerCase()).slice(-4);
    if (this.#tail === "url(") {
      this.#mode = "url";
      this.#urlQuote = "";
      this.#quoted = "";
    } else if (character === '"' || character === "'") {
      this.#mode = character;
      this.#quoted = "";
    }
  }

  #inUrl(character: string): void {
    const opensQuote =
      this.#quoted === "" && this.#urlQuote === "" && (character === '"' || character === "'");
    if (opensQuote) this.#urlQuote = character;
    else if (character === (this.#urlQuote || ")")) this.#mode = "code";
    else if (this.#quoted !== "" || !/\s/.test(character)) this.#quoted += character;
  }
}
