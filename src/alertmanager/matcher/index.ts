/** Matchers of routes, inhibition rules, silences and API filters: how they are read and applied. */
import { type Logger, NarthexError } from "../../base/index.ts";
import { compareStrings, isLabelName, type Labels, type Matcher, quoteGo } from "../../model/index.ts";
import { parseClassicMatchers } from "./classic.ts";
import { parseUtf8Matchers } from "./utf8.ts";

/**
 * `fallback` reads with both syntaxes and keeps what the classic one says where they differ, with a warning;
 * the other two are `--enable-feature=classic-mode` and `utf8-strict-mode`.
 */
export type MatcherMode = "fallback" | "utf8-strict" | "classic";

export class MatcherParser {
  readonly mode: MatcherMode;
  readonly #logger: Logger;

  constructor(mode: MatcherMode, logger: Logger) {
    this.mode = mode;
    this.#logger = logger;
  }

  /** Reads any number of matchers. `origin` says in warnings where the text came from. Throws `bad_data`. */
  parse(input: string, origin: string): Matcher[] {
    if (this.mode === "classic") return parseClassicMatchers(input);
    if (this.mode === "utf8-strict") return parseUtf8Matchers(input);
    const modern = attempt(() => parseUtf8Matchers(input));
    const classic = attempt(() => parseClassicMatchers(input));
    if (modern instanceof NarthexError) {
      if (classic instanceof NarthexError) throw classic;
      const suggestion = classic.map(printMatcher).join(",");
      const fields = { input, origin, err: modern.message, suggestion };
      this.#logger.warn(
        "Matchers are only valid in the classic syntax: please quote values and escape backslashes",
        fields,
      );
      return classic;
    }
    if (classic instanceof NarthexError || sameMatchers(modern, classic)) return modern;
    this.#logger.warn("Matchers input has disagreement", { input, origin });
    return classic;
  }

  /** Reads exactly one matcher, without braces. */
  parseOne(input: string, origin: string): Matcher {
    if (this.mode !== "classic" && (input.startsWith("{") || input.endsWith("}"))) {
      throw new NarthexError("bad_data", `unexpected open or close brace: ${input}`);
    }
    const matchers = this.parse(input, origin);
    if (matchers.length === 1) return matchers[0]!;
    if (matchers.length === 0) throw new NarthexError("bad_data", "no matchers");
    throw new NarthexError("bad_data", `expected 1 matcher, found ${matchers.length}`);
  }

  isLabelName(name: string): boolean {
    return isLabelName(name, this.mode === "classic" ? "legacy" : "utf8");
  }
}

function attempt(parse: () => Matcher[]): Matcher[] | NarthexError {
  try {
    return parse();
  } catch (error) {
    if (error instanceof NarthexError) return error;
    throw error;
  }
}

export function matchesAll(matchers: readonly Matcher[], labels: Labels): boolean {
  return matchers.every((matcher) => matcher.matches(labels.get(matcher.name)));
}

export function sameMatchers(a: readonly Matcher[], b: readonly Matcher[]): boolean {
  return a.length === b.length && a.every((matcher, i) => printMatcher(matcher) === printMatcher(b[i]!));
}

/** By name, then value, then operator: the order in which route keys show them. */
export function sortMatchers(matchers: readonly Matcher[]): Matcher[] {
  const rank = ["=", "!=", "=~", "!~"];
  return [...matchers].sort(
    (a, b) =>
      compareStrings(a.name, b.name) ||
      compareStrings(a.value, b.value) ||
      rank.indexOf(a.type) - rank.indexOf(b.type),
  );
}

/** `a="b"`; a name that the classic syntax cannot hold is quoted. Group keys on disk are made of this text. */
export function printMatcher({ name, type, value }: Matcher): string {
  if (/[\s{}!=~,\\"'`]/.test(name)) return quoteGo(name) + type + quoteGo(value);
  const escaped = value.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"');
  return `${name}${type}"${escaped}"`;
}

/** `{a="b",c=~"d"}`. */
export function printMatchers(matchers: readonly Matcher[]): string {
  return `{${matchers.map(printMatcher).join(",")}}`;
}
