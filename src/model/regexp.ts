import { RE2JS, RE2JSException } from "re2js";
import { NarthexError } from "../base/index.ts";

/**
 * A regular expression with RE2's syntax and linear running time. No user-supplied pattern may reach JavaScript's own
 * engine, whose backtracking a short pattern can turn into hours.
 */
export class Regexp {
  readonly source: string;
  /** Undefined until needed: a list of literals, however long, is tested without it. */
  #automaton: RE2JS | undefined;
  /** The whole-string test, with shortcuts for patterns that need no automaton; undefined until first used. */
  #fullTest: ((text: string) => boolean) | undefined;

  private constructor(source: string) {
    this.source = source;
    if (literalAlternatives(source) === undefined) this.#automaton = compileAutomaton(source);
  }

  /** Throws `bad_data` naming the pattern's fault. `.` matches newlines, as everywhere in Prometheus 3. */
  static compile(source: string): Regexp {
    return new Regexp(source);
  }

  get #compiled(): RE2JS {
    return (this.#automaton ??= compileAutomaton(this.source));
  }

  /** Whether the whole of `text` matches: how matchers and relabelling apply their patterns. */
  matches(text: string): boolean {
    this.#fullTest ??= fullTest(this.source) ?? ((candidate) => this.#compiled.matches(candidate));
    return this.#fullTest(text);
  }

  /** Whether any part of `text` matches. */
  test(text: string): boolean {
    return this.#compiled.matcher(text).find();
  }

  /** The groups of a whole-string match, group 0 first, absent groups as ""; undefined without a match. */
  captures(text: string): Captures | undefined {
    const matcher = this.#compiled.matcher(text);
    if (!matcher.matches()) return undefined;
    const groups: string[] = [];
    for (let i = 0; i <= matcher.groupCount(); i++) groups.push(matcher.group(i) ?? "");
    return { groups, named: this.#compiled.namedGroups() };
  }

  /** Replaces every match in `text`, expanding `$1` and `${name}` as Go does. */
  replaceAll(text: string, template: string): string {
    const matcher = this.#compiled.matcher(text);
    const named = this.#compiled.namedGroups();
    let out = "";
    let from = 0;
    while (matcher.find()) {
      const groups: string[] = [];
      for (let i = 0; i <= matcher.groupCount(); i++) groups.push(matcher.group(i) ?? "");
      out += text.slice(from, matcher.start()) + expandTemplate(template, { groups, named });
      from = matcher.end();
    }
    return out + text.slice(from);
  }

  toString(): string {
    return this.source;
  }
}

function compileAutomaton(source: string): RE2JS {
  try {
    return RE2JS.compile(source, RE2JS.DOTALL);
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error;
    // The engine shows how it spells the flag that lets `.` match newlines; nobody wrote that.
    throw new NarthexError("bad_data", error.message.replace("`(?s)", "`"));
  }
}

export interface Captures {
  groups: readonly string[];
  named: Readonly<Record<string, number>>;
}

/** Go's `Regexp.Expand`: `$name`, `${name}`, `$1`, `$$`; an unknown group is empty. */
export function expandTemplate(template: string, captures: Captures): string {
  return template.replace(/\$(?:\$|\{(\w+)\}|(\w+))/g, (whole, braced?: string, bare?: string) => {
    if (whole === "$$") return "$";
    const name = braced ?? bare!;
    const index = /^\d+$/.test(name) ? Number(name) : captures.named[name];
    return index === undefined ? "" : (captures.groups[index] ?? "");
  });
}

const metaCharacters = /[\\.+*?()|[\]{}^$]/;
/** Beyond this many alternatives a Set is not built from the pattern; RE2 takes over. */
const alternativesMax = 100_000;

/** A test without automaton for the shapes that make up most matchers: literal, `a|b|c`, `.*`, `.+`, prefix, suffix, infix. */
function fullTest(source: string): ((text: string) => boolean) | undefined {
  const alternatives = literalAlternatives(source);
  if (alternatives) {
    if (alternatives.length === 1) return (text) => text === alternatives[0];
    const set = new Set(alternatives);
    return (text) => set.has(text);
  }
  if (source === ".*") return () => true;
  if (source === ".+") return (text) => text !== "";
  const parts = /^(\.[*+])?(.*?)(\.[*+])?$/s.exec(source)!;
  const [, head, literal, tail] = parts;
  if (metaCharacters.test(literal!)) return undefined;
  const headMin = head === ".+" ? 1 : 0;
  const tailMin = tail === ".+" ? 1 : 0;
  const lengthMin = headMin + literal!.length + tailMin;
  if (head && tail) {
    return (text) => {
      const at = text.indexOf(literal!, headMin);
      return at >= 0 && at + literal!.length + tailMin <= text.length;
    };
  }
  if (tail) return (text) => text.length >= lengthMin && text.startsWith(literal!);
  if (head) return (text) => text.length >= lengthMin && text.endsWith(literal!);
  return undefined;
}

/** The strings a pattern matches when it is a plain alternation of literals such as `a|b` or `(a|b)`; else undefined. */
export function literalAlternatives(source: string): string[] | undefined {
  let body = source;
  if (/^\((?:\?:)?[^()\\]*\)$/.test(body)) body = body.slice(body.startsWith("(?:") ? 3 : 1, -1);
  const alternatives = body.split("|");
  if (alternatives.length > alternativesMax || alternatives.some((part) => metaCharacters.test(part)))
    return undefined;
  return alternatives;
}
