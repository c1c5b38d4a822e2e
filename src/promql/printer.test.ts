import assert from "node:assert/strict";
import { test } from "node:test";
import { exprToJson } from "./ast-json.ts";
import { parseExpr } from "./parser.ts";
import { prettyPrint, printExpr } from "./printer.ts";

const options = { experimentalFunctions: true, extendedRangeSelectors: true, binopFillModifiers: true };

test("the normal form", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["sum(foo) by(b,a)", "sum by (b, a) (foo)"],
    ["sum by() (foo)", "sum(foo)"],
    ["sum without() (foo)", "sum without () (foo)"],
    ["topk ( 5 , foo ) without (x)", "topk without (x) (5, foo)"],
    ["a - on() group_right (x) b", "a - on () group_right (x) b"],
    ["a == bool ignoring(x) b", "a == bool ignoring (x) b"],
    ["a + fill_right(2) fill_left(2) b", "a + fill (2) b"],
    ["a + on(x) fill_left(-1e9) b", "a + on (x) fill_left (-1000000000) b"],
    ['foo{z="1", a=~"x",}', 'foo{a=~"x",z="1"}'],
    ['{__name__="foo",a="b"}', '{__name__="foo",a="b"}'],
    ['{"a.b"}', '{__name__="a.b"}'],
    ["foo[90s] @ 12 offset 300", "foo[1m30s] @ 12.000 offset 5m"],
    ["foo[5m] offset -1h @ start()", "foo[5m] @ start() offset -1h"],
    ["foo[5m] anchored", "foo[5m] anchored"],
    ["foo[ 5m : ]", "foo[5m:]"],
    ["foo[step()+1:(2)]", "foo[step() + 1:(2)]"],
    ["foo offset (-5m*2)", "foo offset (-5m * 2)"],
    ["1e3 + 0x10 + 1h", "1000 + 16 + 1h"],
    ["'it\\'s'", `"it's"`],
    ["- foo", "-foo"],
  ];
  for (const [query, expected] of cases) assert.equal(printExpr(parseExpr(query, options)), expected);
});

test("long lines are split, short parts stay whole", () => {
  const query = `sum by (job, mode) (rate(node_cpu_seconds_total{mode!="idle"}[5m])) / ignoring(mode) group_left sum by (job) (rate(node_cpu_seconds_total[5m]))`;
  assert.equal(
    prettyPrint(parseExpr(query)),
    [
      '  sum by (job, mode) (rate(node_cpu_seconds_total{mode!="idle"}[5m]))',
      "/ ignoring (mode) group_left ()",
      "  sum by (job) (rate(node_cpu_seconds_total[5m]))",
    ].join("\n"),
  );
  const nested = `label_replace(histogram_quantile(0.99, sum by (le) (rate(http_request_duration_seconds_bucket[5m]))), "dst", "$1", "src", "(.*)")`;
  assert.equal(
    prettyPrint(parseExpr(nested)),
    [
      "label_replace(",
      "  histogram_quantile(0.99, sum by (le) (rate(http_request_duration_seconds_bucket[5m]))),",
      '  "dst",',
      '  "$1",',
      '  "src",',
      '  "(.*)"',
      ")",
    ].join("\n"),
  );
});

test("the tree for parse_query", () => {
  assert.deepEqual(exprToJson(parseExpr('rate(foo{a="b"}[5m] offset 1m) > bool 0.5')), {
    type: "binaryExpr",
    op: ">",
    bool: true,
    matching: null,
    lhs: {
      type: "call",
      func: { name: "rate", argTypes: ["matrix"], variadic: 0, returnType: "vector" },
      args: [
        {
          type: "matrixSelector",
          name: "foo",
          range: 300_000,
          rangeExpr: null,
          offset: 60_000,
          offsetExpr: null,
          matchers: [
            { name: "a", value: "b", type: "=" },
            { name: "__name__", value: "foo", type: "=" },
          ],
          timestamp: null,
          startOrEnd: null,
          anchored: false,
          smoothed: false,
        },
      ],
    },
    rhs: { type: "numberLiteral", val: "0.5" },
  });
});
