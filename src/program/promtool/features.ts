import type { Flags } from "../../base/index.ts";
import type { ParserOptions, QueryFeatures } from "../../promql/index.ts";
import type { Streams } from "./command.ts";

export interface LanguageFeatures {
  readonly parser: ParserOptions;
  readonly query: QueryFeatures;
}

const known = [
  "promql-experimental-functions",
  "promql-extended-range-selectors",
  "promql-binop-fill-modifiers",
  "promql-delayed-name-removal",
  // Always there.
  "promql-duration-expr",
];

/** What `--enable-feature` asks of the query language. Unknown names are warned of. */
export function languageFeatures(flags: Flags, { out }: Streams): LanguageFeatures {
  const names = flags.list("enable-feature").flatMap((list) => list.split(",").filter(Boolean));
  for (const name of names)
    if (!known.includes(name)) out(`  WARNING: Unknown feature passed to --enable-feature: ${name}\n`);
  return {
    parser: {
      experimentalFunctions: names.includes("promql-experimental-functions"),
      extendedRangeSelectors: names.includes("promql-extended-range-selectors"),
      binopFillModifiers: names.includes("promql-binop-fill-modifiers"),
    },
    query: { delayedNameRemoval: names.includes("promql-delayed-name-removal") },
  };
}
