/** The matcher syntax of today: any UTF-8 in names and values, quoted where it holds something special. */
import { NarthexError } from "../../base/index.ts";
import { Matcher, type MatchType } from "../../model/index.ts";
import { unquoteGo } from "../../template/index.ts";

interface Token {
  readonly kind: "{" | "}" | "," | "operator" | "quoted" | "unquoted" | "end";
  readonly text: string;
  /** Columns, in code points from 0, the end exclusive. */
  readonly start: number;
  readonly end: number;
}

const OPERATOR = /=~|!~|!=|=/y;
const QUOTED = /"(?:[^"\\]|\\[^])*"/y;
const UNQUOTED = /[^\s{}!=~,\\"'`]+/y;

/** Reads `{a=b, "c d"=~"e"}`, braces or not, a last comma allowed. Throws `bad_data` naming the column. */
export function parseUtf8Matchers(input: string): Matcher[] {
  return new Parser(input).parse();
}

class Parser {
  readonly #tokens: Token[];
  #next = 0;

  constructor(input: string) {
    this.#tokens = tokenize(input);
  }

  parse(): Matcher[] {
    const braced = this.#accept("{");
    const matchers: Matcher[] = [];
    while (!this.#at("}") && !this.#at("end")) {
      matchers.push(this.#matcher());
      if (!this.#at("}") && !this.#at("end") && !this.#accept(",")) {
        this.#unexpected("expected a comma or close brace");
      }
    }
    const token = this.#peek();
    if (braced && !this.#accept("}")) fail(`0:${token.end}: end of input: expected close brace`);
    if (!braced && this.#at("}")) fail(`0:${token.end}: }: expected opening brace`);
    if (!this.#at("end")) this.#unexpected("expected end of input");
    return matchers;
  }

  #matcher(): Matcher {
    const name = this.#expect(["quoted", "unquoted"], "expected label name");
    const type = this.#expect(["operator"], "expected an operator such as '=', '!=', '=~' or '!~'");
    const value = this.#expect(["quoted", "unquoted"], "expected label value");
    return new Matcher(type.text as MatchType, plain(name), plain(value));
  }

  #peek(): Token {
    return this.#tokens[this.#next]!;
  }

  #at(kind: Token["kind"]): boolean {
    return this.#peek().kind === kind;
  }

  #accept(kind: Token["kind"]): boolean {
    if (!this.#at(kind)) return false;
    this.#next++;
    return true;
  }

  #expect(kinds: readonly Token["kind"][], message: string): Token {
    const token = this.#peek();
    if (!kinds.includes(token.kind)) this.#unexpected(message);
    this.#next++;
    return token;
  }

  #unexpected(message: string): never {
    const token = this.#peek();
    if (token.kind === "end") return fail(`end of input: ${message}`);
    return fail(`${token.start}:${token.end}: unexpected ${token.text}: ${message}`);
  }
}

function tokenize(input: string): Token[] {
  const tokens: Token[] = [];
  let column = 0;
  for (let i = 0; i < input.length;) {
    const character = String.fromCodePoint(input.codePointAt(i)!);
    if (/\s/.test(character)) {
      i += character.length;
      column++;
      continue;
    }
    const [kind, text] = scan(input, i, character, column);
    const length = Array.from(text).length;
    tokens.push({ kind, text, start: column, end: column + length });
    i += text.length;
    column += length;
  }
  tokens.push({ kind: "end", text: "", start: column, end: column });
  return tokens;
}

function scan(input: string, at: number, character: string, column: number): [Token["kind"], string] {
  if (character === "{" || character === "}" || character === ",") return [character, character];
  for (const [kind, pattern] of [
    ["operator", OPERATOR],
    ["quoted", QUOTED],
    ["unquoted", UNQUOTED],
  ] as const) {
    pattern.lastIndex = at;
    const text = pattern.exec(input)?.[0];
    if (text !== undefined) return [kind, text];
  }
  if (character === '"') fail(`${column}:${Array.from(input).length}: ${input.slice(at)}: missing end "`);
  if (character === "!") fail(`${column}:${column + 1}: !: expected one of '=~'`);
  return fail(`${column}:${column + 1}: ${character}: invalid input`);
}

/** What a token stands for; quoted ones are Go string literals of valid UTF-8. */
function plain(token: Token): string {
  if (token.kind === "unquoted") return token.text;
  const text = token.text.includes("\n") ? undefined : unquoteGo(token.text);
  // Octets that are no UTF-8 read as U+FFFD.
  const broken = text === undefined || (text.includes("\ufffd") && !/\ufffd|\\ufffd/i.test(token.text));
  return broken ? fail(`${token.start}:${token.end}: ${token.text}: invalid input`) : text;
}

function fail(message: string): never {
  throw new NarthexError("bad_data", message);
}
