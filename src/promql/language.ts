import type { AggregationOperator } from "./ast.ts";
import { functions } from "./functions.ts";
import { experimentalAggregations, type ParserOptions } from "./parser.ts";
import { aggregators, modifiers, signs, wordOperators } from "./token.ts";

/** Words and signs of the language, each with whether a query may use it. */
export interface Language {
  keywords: Record<string, boolean>;
  operators: Record<string, boolean>;
  functions: Record<string, boolean>;
}

/** What the language has under these options. */
export function describeLanguage(options: ParserOptions): Language {
  const isKeyword = (word: string): boolean => {
    if (word === "anchored" || word === "smoothed") return options.extendedRangeSelectors === true;
    return !word.startsWith("fill") || options.binopFillModifiers === true;
  };
  const isAggregator = (word: AggregationOperator): boolean =>
    options.experimentalFunctions === true || !experimentalAggregations.has(word);
  return {
    keywords: Object.fromEntries(modifiers.map((word) => [word, isKeyword(word)])),
    operators: Object.fromEntries([
      ...[...signs, ...wordOperators].map((sign) => [sign, true] as const),
      ...aggregators.map((word) => [word, isAggregator(word)] as const),
    ]),
    functions: Object.fromEntries(
      [...functions.values()].map(({ name, experimental }) => [
        name,
        !experimental || options.experimentalFunctions === true,
      ]),
    ),
  };
}
