import { textFlag } from "../../base/index.ts";
import { Matcher } from "../../model/index.ts";
import { type Expr, parseExpr, prettyPrint, walk } from "../../promql/index.ts";
import { type Command, type Commands, enumFlag, exitCode } from "./command.ts";
import { languageFeatures } from "./features.ts";

const matchTypes = ["=", "!=", "=~", "!~"] as const;

/** The commands that lay out and edit queries. */
export const promqlCommands: Commands = {
  "promql format": edit("lay out a query", [], [], () => {}),
  "promql label-matchers set": {
    ...edit(
      "set a label matcher in all selectors of a query",
      [textFlag("type", "=", "Type of the matcher: =, !=, =~ or !~. Short: -t")],
      ["<name>", "<value>"],
      (expr, [name, value], flags) =>
        setMatcher(expr, new Matcher(enumFlag(flags, "type", matchTypes), name!, value!)),
    ),
    letters: { t: "type" },
  },
  "promql label-matchers delete": edit(
    "delete a label's matchers from all selectors of a query",
    [],
    ["<name>"],
    (expr, [name]) => editMatchers(expr, (matchers) => matchers.filter((matcher) => matcher.name !== name)),
  ),
};

function edit(
  summary: string,
  flags: Command["flags"],
  positionals: readonly string[],
  change: (expr: Expr, rest: readonly string[], flags: Parameters<Command["run"]>[0]) => void,
): Command {
  return {
    summary,
    flags,
    positionals: ["<query>", ...positionals],
    isExperimental: true,
    run(given, [query, ...rest], streams) {
      const expr = parseExpr(query!, languageFeatures(given, streams).parser);
      change(expr, rest, given);
      streams.out(`${prettyPrint(expr)}\n`);
      return exitCode.ok;
    },
  };
}

/** Takes the place of the label's matchers, or comes behind the others. */
function setMatcher(expr: Expr, added: Matcher): void {
  editMatchers(expr, (matchers) =>
    matchers.some(({ name }) => name === added.name)
      ? matchers.map((matcher) => (matcher.name === added.name ? added : matcher))
      : [...matchers, added],
  );
}

function editMatchers(expr: Expr, change: (matchers: Matcher[]) => Matcher[]): void {
  walk(expr, (node) => {
    if (node.kind === "vectorSelector") node.matchers = change(node.matchers);
  });
}
