/** Follows JavaScript text far enough to know where in it a value would stand. */

export type ScriptPlace = "code" | "doubleQuoted" | "singleQuoted" | "template" | "regexp" | "comment";

type Mode = "code" | '"' | "'" | "`" | "/" | "//" | "/*";

const PLACES: Record<Mode, ScriptPlace> = {
  code: "code",
  '"': "doubleQuoted",
  "'": "singleQuoted",
  "`": "template",
  "/": "regexp",
  "//": "comment",
  "/*": "comment",
};

/** Words after which a slash begins a regular expression. */
const OPERATOR_WORDS = new Set(
  "break case continue delete do else finally in instanceof return throw try typeof void".split(" "),
);

export class ScriptState {
  #mode: Mode = "code";
  /** Whether a slash here would begin a regular expression rather than divide. */
  #regexpNext = true;
  /** The word the code ends with so far. */
  #word = "";
  #escaped = false;
  #inCharacterClass = false;
  /** Per open `${`, how many braces are open inside it. */
  readonly #substitutions: number[] = [];

  get place(): ScriptPlace {
    return PLACES[this.#mode];
  }

  /** A value stood here. */
  value(): void {
    this.#regexpNext = false;
    this.#word = "";
    this.#escaped = false;
  }

  feed(text: string): void {
    for (let i = 0; i < text.length; i++) {
      const character = text[i]!;
      const next = text[i + 1] ?? "";
      switch (this.#mode) {
        case "code":
          if (this.#code(character, next)) i++;
          break;
        case "//":
          if (/[\n\r\u2028\u2029]/.test(character)) this.#mode = "code";
          break;
        case "/*":
          if (character === "*" && next === "/") {
            this.#mode = "code";
            i++;
          }
          break;
        default:
          if (this.#literal(character, next)) i++;
      }
    }
  }

  /** Reads one character of code; true when it took the next one with it. */
  #code(character: string, next: string): boolean {
    if (character === '"' || character === "'" || character === "`") {
      this.#mode = character;
      return false;
    }
    if (character === "/" && (next === "/" || next === "*")) {
      this.#mode = next === "/" ? "//" : "/*";
      return true;
    }
    if (character === "/" && this.#slashBeginsRegexp()) {
      this.#mode = "/";
      return false;
    }
    if (/\s/.test(character)) return false;
    const depth = this.#substitutions.length - 1;
    if (character === "{" && depth >= 0) this.#substitutions[depth]!++;
    if (character === "}" && depth >= 0 && this.#substitutions[depth]!-- === 0) {
      this.#substitutions.pop();
      this.#mode = "`";
      return false;
    }
    if (/[\w$\u0080-\uffff]/.test(character)) {
      this.#word += character;
      this.#regexpNext = false;
    } else {
      this.#word = "";
      // x++ / y divides, x + /y/ does not; closing brackets end a value, a closing brace a block.
      this.#regexpNext =
        !")].".includes(character) && !((character === "+" || character === "-") && next === character);
    }
    return false;
  }

  #slashBeginsRegexp(): boolean {
    return this.#regexpNext || OPERATOR_WORDS.has(this.#word);
  }

  /** Reads one character of a string, template or regular expression; true when it took the next one with it. */
  #literal(character: string, next: string): boolean {
    if (this.#escaped) this.#escaped = false;
    else if (character === "\\") this.#escaped = true;
    else if (this.#mode === "`" && character === "$" && next === "{") {
      this.#substitutions.push(0);
      this.#mode = "code";
      this.#regexpNext = true;
      return true;
    } else if (this.#mode === "/" && character === "[") this.#inCharacterClass = true;
    else if (this.#mode === "/" && character === "]") this.#inCharacterClass = false;
    else if (character === this.#mode && !this.#inCharacterClass) {
      this.#mode = "code";
      this.#regexpNext = false;
      this.#word = "";
    }
    return false;
  }
}
