import { isLegacyLabelName } from "./names.ts";
import { quoteGo } from "./quote.ts";
import { literalAlternatives, Regexp } from "./regexp.ts";

export type MatchType = "=" | "!=" | "=~" | "!~";

/** One condition on a label's value. An absent label is the empty value. */
export class Matcher {
  readonly type: MatchType;
  readonly name: string;
  readonly value: string;
  readonly #regexp: Regexp | undefined;
  #matchesEmpty: boolean | undefined;
  #alternatives: readonly string[] | null | undefined;

  /** Throws `bad_data` when a regular expression does not compile. */
  constructor(type: MatchType, name: string, value: string) {
    this.type = type;
    this.name = name;
    this.value = value;
    if (type === "=~" || type === "!~") this.#regexp = Regexp.compile(value);
  }

  matches(value: string): boolean {
    if (this.type === "=") return value === this.value;
    if (this.type === "!=") return value !== this.value;
    return this.#regexp!.matches(value) === (this.type === "=~");
  }

  /** Whether a series without the label passes. */
  matchesEmpty(): boolean {
    return (this.#matchesEmpty ??= this.matches(""));
  }

  /** The finite set of values that pass, when the matcher has one: `=`, or `=~` of plain alternatives. */
  acceptedValues(): readonly string[] | undefined {
    return this.type === "=" || this.type === "=~" ? this.#namedValues() : undefined;
  }

  /** The finite set of values that do not pass, when the matcher has one. */
  refusedValues(): readonly string[] | undefined {
    return this.type === "!=" || this.type === "!~" ? this.#namedValues() : undefined;
  }

  #namedValues(): readonly string[] | undefined {
    this.#alternatives ??=
      (this.#regexp === undefined ? [this.value] : literalAlternatives(this.value)) ?? null;
    return this.#alternatives ?? undefined;
  }

  toString(): string {
    return `${isLegacyLabelName(this.name) ? this.name : quoteGo(this.name)}${this.type}${quoteGo(this.value)}`;
  }
}
