import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import * as fc from "fast-check";
import type { BinaryExpr, Expr, VectorSelector } from "./ast.ts";
import { exprType } from "./checker.ts";
import { functions } from "./functions.ts";
import { ParseError } from "./parse-error.ts";
import { parseExpr, parseMetricSelector, type ParserOptions } from "./parser.ts";
import { printExpr } from "./printer.ts";
import { conformanceDirectory, conformanceExpressions } from "./testing/conformance-files.ts";

const everything: ParserOptions = {
  experimentalFunctions: true,
  extendedRangeSelectors: true,
  binopFillModifiers: true,
};

function messageOf(query: string, options: ParserOptions = everything): string {
  try {
    parseExpr(query, options);
  } catch (error) {
    assert.ok(error instanceof ParseError, `${query}: ${String(error)}`);
    return error.message;
  }
  return assert.fail(`${query} should not parse`);
}

const faults: readonly (readonly [query: string, message: string])[] = [
  ["", "unknown position: parse error: no expression found in input"],
  ["# just a comment", "1:1: parse error: no expression found in input"],
  ["1+", "1:3: parse error: unexpected end of input"],
  [".", "1:1: parse error: unexpected character: '.'"],
  ["2.5.", '1:1: parse error: bad number or duration syntax: "2.5."'],
  ["100..4", '1:1: parse error: bad number or duration syntax: "100.."'],
  ["0deadbeef", '1:1: parse error: bad number or duration syntax: "0de"'],
  ["1a", '1:1: parse error: bad number or duration syntax: "1"'],
  ["1e+.2", '1:1: parse error: bad number or duration syntax: "1e+."'],
  ["1_e2", '1:1: parse error: bad number or duration syntax: "1_e"'],
  ["0x1_2__34", '1:1: parse error: bad number or duration syntax: "0x1_2__"'],
  ["8_ + 1", '1:1: parse error: error parsing number: strconv.ParseFloat: parsing "8_": invalid syntax'],
  ['foo{a="\ufffd"}', "1:7: parse error: invalid UTF-8 rune"],
  ["foo[5y1hs]", '1:5: parse error: unknown unit "hs" in duration "5y1hs"'],
  [
    "rate(foo[5m])[:1m]",
    '1:15: parse error: unexpected ":" in subquery or range selector, expected number, duration, step(), or range()',
  ],
  ["foo[step():1m]", "1:12: parse error: unexpected colon before duration in duration expression"],
  ["(a + on(b) group_left ) c", '1:23: parse error: unexpected ")" in grouping opts, expected "("'],
  ["a + on(b) group_left * c", '1:22: parse error: unexpected <op:*> in grouping opts, expected "("'],
  ["1 /", "1:4: parse error: unexpected end of input"],
  ["*1", "1:1: parse error: unexpected <op:*>"],
  ["(1))", "1:5: parse error: unexpected right parenthesis ')'"],
  ["((1)", "1:5: parse error: unclosed left parenthesis"],
  ["(", "1:2: parse error: unclosed left parenthesis"],
  ["1 and 1", '1:1: parse error: set operator "and" not allowed in binary scalar expression'],
  ["1 == 1", "1:3: parse error: comparisons between scalars must use BOOL modifier"],
  ["foo + bool bar", "1:5: parse error: bool modifier can only be used on comparison operators"],
  ["1 !~ 1", "1:3: parse error: unexpected character after '!': '~'"],
  ["1 =~ 1", "1:3: parse error: unexpected character after '=': '~'"],
  [
    "1 offset 1d",
    "1:1: parse error: offset modifier must be preceded by an instant vector selector or range vector selector or a subquery",
  ],
  ["foo offset 1s offset 2s", "1:1: parse error: offset may not be set multiple times"],
  ["foo @ 1 @ 2", "1:1: parse error: @ <timestamp> may not be set multiple times"],
  ["foo @ Inf", "1:1: parse error: timestamp out of bounds for @ modifier: +Inf"],
  ["foo @ bar", '1:7: parse error: unexpected identifier "bar" in @, expected timestamp'],
  ["a - on(b) ignoring(c) d", "1:11: parse error: unexpected <ignoring>"],
  ["foo and on(bar) group_left(baz) bar", '1:1: parse error: no grouping allowed for "and" operation'],
  [
    "foo * on(bar) group_left(bar) baz",
    '1:5: parse error: label "bar" must not occur in ON and GROUP clause at once',
  ],
  ["foo == on(bar) 10", "1:1: parse error: vector matching only allowed between instant vectors"],
  ["foo and fill(0) bar", "1:1: parse error: filling in missing series not allowed for set operators"],
  [
    '-"string"',
    '1:1: parse error: unary expression only allowed on expressions of type scalar or instant vector, got "string"',
  ],
  [
    "-test[5m]",
    '1:1: parse error: unary expression only allowed on expressions of type scalar or instant vector, got "range vector"',
  ],
  ['"a" + 1', "1:1: parse error: binary expression must contain only scalar and instant vector types"],
  ["{", "1:2: parse error: unexpected end of input inside braces"],
  ["some{", "1:6: parse error: unexpected end of input inside braces"],
  ["}", "1:1: parse error: unexpected character: '}'"],
  ["some_metric{a=b}", '1:15: parse error: unexpected identifier "b" in label matching, expected string'],
  ['some_metric{a:b="b"}', "1:14: parse error: unexpected character inside braces: ':'"],
  ['foo{a*"b"}', "1:6: parse error: unexpected character inside braces: '*'"],
  ['foo{a>="b"}', "1:6: parse error: unexpected character inside braces: '>'"],
  ["foo{gibberish}", '1:14: parse error: unexpected "}" in label matching, expected label matching operator'],
  ["foo{1}", "1:5: parse error: unexpected character inside braces: '1'"],
  ["{}", "1:1: parse error: vector selector must contain at least one non-empty matcher"],
  ['{x=""}', "1:1: parse error: vector selector must contain at least one non-empty matcher"],
  ['foo{__name__="bar"}', '1:1: parse error: metric name must not be set twice: "foo" or "bar"'],
  ["foo{,}", '1:5: parse error: unexpected "," in label matching, expected identifier or "}"'],
  ["foo[5m", "1:7: parse error: unclosed left bracket"],
  ["foo[5mm]", '1:5: parse error: bad number or duration syntax: "5mm"'],
  [
    "foo[]",
    '1:5: parse error: unexpected "]" in subquery or range selector, expected number, duration, step(), or range()',
  ],
  ["foo[0m]", "1:5: parse error: duration must be greater than 0"],
  ["foo[-1]", "1:5: parse error: duration must be greater than 0"],
  ["foo[5m 6m]", '1:8: parse error: unexpected duration "6m" in subquery or range, expected ":" or "]"'],
  [
    "foo[5m:+]",
    '1:9: parse error: unexpected "]" in subquery selector, expected number, duration, step(), range(), or "]"',
  ],
  ["foo[5m/0]", "1:7: parse error: division by zero"],
  ["(foo + bar)[5m]", "1:12: parse error: ranges only allowed for vector selectors"],
  ["foo offset 1s [5m]", "1:15: parse error: no offset modifiers allowed before range"],
  ["foo @ 3 [5m]", "1:9: parse error: no @ modifiers allowed before range"],
  [
    "foo offset",
    "1:11: parse error: unexpected end of input in offset, expected number, duration, step(), or range()",
  ],
  ["time()[5m:1m]", "1:1: parse error: subquery is only allowed on instant vector, got scalar instead"],
  ["sum without(==)(foo)", "1:13: parse error: unexpected <op:==> in grouping opts, expected label"],
  [
    "sum by (a b) (foo)",
    '1:11: parse error: unexpected identifier "b" in grouping opts, expected "," or ")"',
  ],
  ["sum by foo", '1:8: parse error: unexpected identifier "foo" in grouping opts, expected "("'],
  ["sum(other) by (a) without (b)", "1:19: parse error: unexpected <without>"],
  ["sum(foo bar)", '1:9: parse error: unexpected identifier "bar" in aggregation'],
  ["sum()", "1:1: parse error: no arguments for aggregate expression provided"],
  [
    "topk(foo)",
    "1:1: parse error: wrong number of arguments for aggregate expression provided, expected 2, got 1",
  ],
  [
    "topk(some, other)",
    "1:6: parse error: expected type scalar in aggregation parameter, got instant vector",
  ],
  ["count_values(5, other)", "1:14: parse error: expected type string in aggregation parameter, got scalar"],
  [
    "sum(foo[5m])",
    "1:5: parse error: expected type instant vector in aggregation expression, got range vector",
  ],
  ["floor()", '1:1: parse error: expected 1 argument(s) in call to "floor", got 0'],
  ["hour(a, b)", '1:1: parse error: expected at most 1 argument(s) in call to "hour", got 2'],
  ["label_join()", '1:1: parse error: expected at least 3 argument(s) in call to "label_join", got 0'],
  ["floor(1)", '1:7: parse error: expected type instant vector in call to function "floor", got scalar'],
  [
    "rate(some_metric)",
    '1:6: parse error: expected type range vector in call to function "rate", got instant vector',
  ],
  ["non_existent_function(x)", '1:1: parse error: unknown function with name "non_existent_function"'],
  ["rate(foo[5m],)", "1:13: parse error: trailing commas not allowed in function call args"],
  ["info(foo, bar)", "1:11: parse error: expected label selectors only, got vector selector instead"],
  ["foo anchored smoothed", "1:1: parse error: anchored and smoothed modifiers cannot be used together"],
  ["foo[10m:1m] smoothed", "1:1: parse error: smoothed modifier is not supported for subqueries"],
  ['"\\c"', "1:1: parse error: unknown escape sequence U+0063 'c'"],
  ["'abc", "1:1: parse error: unterminated quoted string"],
  ["`abc", "1:1: parse error: unterminated raw string"],
  ['"\\u12"', `1:1: parse error: illegal character U+0022 '"' in escape sequence`],
  ["foo\n  + ☃", "2:5: parse error: unexpected character: '☃'"],
  ['"☃" ] ', "1:7: parse error: unexpected right bracket ']'"],
];

test("what is wrong with a query is said with upstream's words and place", () => {
  for (const [query, message] of faults) assert.equal(messageOf(query), message, query);
});

test("what a feature flag would enable is refused without it", () => {
  const refusals: readonly (readonly [string, string])[] = [
    ["info(foo)", 'function "info" is not enabled'],
    [
      "limitk(1, foo)",
      "limitk() is experimental and must be enabled with --enable-feature=promql-experimental-functions",
    ],
    ["rate(foo[5m] anchored)", "anchored modifier is experimental and not enabled"],
    ["foo smoothed", "smoothed modifier is experimental and not enabled"],
    ["a + fill(0) b", "binop fill modifiers are experimental and not enabled"],
  ];
  for (const [query, reason] of refusals) {
    assert.equal(messageOf(query, {}).split("parse error: ")[1], reason);
    parseExpr(query, everything);
  }
});

test("operators bind as documented", () => {
  const explicit = (expr: Expr): string => {
    if (expr.kind === "binaryExpr") return `(${explicit(expr.lhs)} ${expr.op} ${explicit(expr.rhs)})`;
    return expr.kind === "unaryExpr" ? `(${expr.op}${explicit(expr.expr)})` : printExpr(expr);
  };
  const cases = [
    ["a + b * c ^ d ^ e", "(a + (b * (c ^ (d ^ e))))"],
    ["-a ^ 2 * b", "((-(a ^ 2)) * b)"],
    ["a or b and c unless d", "(a or ((b and c) unless d))"],
    ["a < b + c == d", "((a < (b + c)) == d)"],
    ["a </ 1 >/ 2", "((a </ 1) >/ 2)"],
    ["a atan2 b % c", "((a atan2 b) % c)"],
    ["foo offset 5m + bar", "(foo offset 5m + bar)"],
    ["foo offset -2 ^ 2", "(foo offset -2s ^ 2)"],
    ["-2 ^ 2", "(-(2 ^ 2))"],
    ["-1 - -1", "(-1 - -1)"],
  ] as const;
  for (const [query, expected] of cases) assert.equal(explicit(parseExpr(query)), expected, query);
});

test("numbers and durations as numbers", () => {
  const cases: readonly (readonly [string, number])[] = [
    ["0x1F", 31],
    ["0755", 493],
    ["08", 8],
    ["1_000_000.5", 1000000.5],
    ["+.5e-1", 0.05],
    ["1h30m", 5400],
    ["-250ms", -0.25],
    ["iNf", Infinity],
    ["NaN", NaN],
  ];
  for (const [query, value] of cases) {
    const expr = parseExpr(query);
    assert.equal(expr.kind === "numberLiteral" && expr.value, value, query);
  }
});

test("keywords are names where nothing else could stand", () => {
  const words =
    "sum by without offset start end step range anchored smoothed min_of max_of and or unless fill topk";
  for (const word of words.split(" ")) {
    const expr = parseExpr(`${word} + ${word}{a="b"}`) as BinaryExpr;
    assert.equal((expr.lhs as VectorSelector).name, word);
    assert.equal((expr.rhs as VectorSelector).name, word);
  }
  for (const word of ["bool", "on", "ignoring", "group_left", "group_right", "atan2"]) {
    assert.throws(() => parseExpr(word), ParseError);
    assert.equal(printExpr(parseExpr(`sum by (${word}) (foo)`)), `sum by (${word}) (foo)`);
  }
});

test("a selector of UTF-8 names", () => {
  const expr = parseExpr('{"http.requests", "service.name"=~"api-.*", a!="",}') as VectorSelector;
  assert.equal(expr.name, "");
  assert.deepEqual(expr.matchers.map(String), [
    '__name__="http.requests"',
    '"service.name"=~"api-.*"',
    'a!=""',
  ]);
  assert.deepEqual(parseMetricSelector('foo{a="b"}').map(String), ['a="b"', '__name__="foo"']);
  assert.throws(() => parseMetricSelector("foo[5m]"), { message: '1:4: parse error: unexpected "["' });
});

test("positions span what was written", () => {
  const query = 'sum by (a) (rate(foo{b="☃"}[5m] offset 1m @ end())) > bool (2)';
  const texts: string[] = [];
  const collect = (expr: Expr): void => {
    texts.push(query.slice(expr.position.start, expr.position.end));
  };
  const comparison = parseExpr(query) as BinaryExpr;
  assert.ok(comparison.lhs.kind === "aggregation" && comparison.lhs.expr.kind === "call");
  [comparison, comparison.lhs, comparison.lhs.expr, comparison.lhs.expr.args[0]!, comparison.rhs].forEach(
    collect,
  );
  assert.deepEqual(texts, [
    query,
    'sum by (a) (rate(foo{b="☃"}[5m] offset 1m @ end()))',
    'rate(foo{b="☃"}[5m] offset 1m @ end())',
    'foo{b="☃"}[5m] offset 1m @ end()',
    "(2)",
  ]);
});

test("ninety functions, seventeen of them experimental", () => {
  assert.equal(functions.size, 90);
  assert.equal([...functions.values()].filter((signature) => signature.experimental).length, 17);
});

test("depth is bounded, length is not", () => {
  for (const query of [
    "(".repeat(20_000),
    "-".repeat(20_000),
    "sum(".repeat(20_000),
    `foo[${"(".repeat(20_000)}`,
  ]) {
    assert.match(messageOf(query), /nested deeper than 500 levels/);
  }
  assert.match(messageOf(`a${"+a".repeat(20_000)}`), /more than 2000 levels/);
  assert.equal(exprType(parseExpr(`a${"+a".repeat(1500)}`)), "vector");
  parseExpr(`{a=~"${"x|".repeat(100_000)}y"}`);
});

const skipConformance = existsSync(conformanceDirectory)
  ? false
  : `no conformance data in ${conformanceDirectory}`;

test(
  "every expression of upstream's scripts parses, and survives printing",
  { skip: skipConformance },
  () => {
    let count = 0;
    for (const { expr: query } of conformanceExpressions()) {
      const printed = printExpr(parseExpr(query, everything));
      assert.equal(printExpr(parseExpr(printed, everything)), printed, query);
      count++;
    }
    assert.ok(count > 2000, `only ${count} expressions found`);
  },
);

const atoms = fc.constantFrom(
  "foo",
  'bar{a="b",c=~"d.*"}',
  "sum",
  '{"x.y"}',
  "end",
  "time()",
  "1",
  "0x1f",
  "5m",
  "-2",
);
const expressions = fc.letrec<{ vector: string; any: string }>((tie) => ({
  vector: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constantFrom(
      "foo",
      'bar{a="b",c=~"d.*"} offset -5m',
      "sum @ 12.345",
      '{"x.y"} @ start()',
      "(foo offset (2*step()))",
    ),
    fc
      .tuple(
        tie("vector"),
        fc.constantFrom("+", "^", "> bool", "and", "/ on(a) group_left(b)", "- ignoring() fill(1)"),
        tie("vector"),
      )
      .map((parts) => parts.join(" ")),
    tie("vector").map((inner) => `-(${inner})`),
    tie("vector").map((inner) => `sum by ("a.b", c) (${inner})`),
    tie("vector").map((inner) => `topk without (a) (2, ${inner})`),
    tie("vector").map((inner) => `max_over_time((${inner})[1h30m:min_of(5m, step())] @ end() offset 1w)`),
    fc.constantFrom("rate(foo[5m] smoothed)", "increase(foo[(1m + range()) ^ -2] offset 2d)"),
  ),
  any: fc.oneof(tie("vector"), atoms),
}));

test("printing and parsing again changes nothing", () => {
  fc.assert(
    fc.property(expressions.any, (query) => {
      const printed = printExpr(parseExpr(query, everything));
      assert.equal(printExpr(parseExpr(printed, everything)), printed);
    }),
  );
});

test("whatever the text, the answer is an expression or a ParseError", () => {
  const pieces = fc.constantFrom(
    ..."( ) { } [ ] , : = == != =~ !~ < </ + - * / % ^ @ offset by on bool group_left sum topk rate step min_of".split(
      " ",
    ),
    ...'foo a:b 5m 1.5 0x 1e 7ss nan "x" \'y\' `z` "\\x fill anchored # \n \ud800 ☃ info end'.split(" "),
  );
  const texts = fc.oneof(
    fc.array(pieces, { maxLength: 40 }).map((parts) => parts.join(" ")),
    fc.array(pieces, { maxLength: 40 }).map((parts) => parts.join("")),
    fc.string({ unit: "binary", maxLength: 60 }),
  );
  fc.assert(
    fc.property(texts, (text) => {
      try {
        parseExpr(text, everything);
      } catch (error) {
        assert.ok(error instanceof ParseError, String(error));
      }
    }),
    { numRuns: 2000 },
  );
});
