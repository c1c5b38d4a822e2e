import assert from "node:assert/strict";
import { test } from "node:test";
import { NarthexError } from "../../base/index.ts";
import { formatNotation, Labels } from "../../model/index.ts";
import { almostEqual, type Answer, type AnswerValue } from "./expectation.ts";
import { runScript, type Subject } from "./run.ts";
import { type EvalCommand, parseScript } from "./script.ts";
import { parseSeriesDescription } from "../series-description.ts";

function floats(text: string): (number | string)[] {
  return parseSeriesDescription(text).values.map((value) =>
    value.kind === "float" ? value.value : value.kind,
  );
}

test("the notation for series", () => {
  assert.deepEqual(floats("foo 1 2+3x2 _ _x2 stale"), [1, 2, 5, 8, "omitted", "omitted", "omitted", "stale"]);
  assert.deepEqual(floats('foo{a="b"} -1-2x1 3x1 Inf -inf NaN 1e2 .5'), [
    -1,
    -3,
    3,
    3,
    Infinity,
    -Infinity,
    NaN,
    100,
    0.5,
  ]);
  assert.deepEqual(floats("{} 0x3"), [0, 0, 0, 0]);
  const { labels } = parseSeriesDescription('{"http.requests", "a.b"="c", x="y"} 1');
  assert.ok(labels.equals(Labels.from({ __name__: "http.requests", "a.b": "c", x: "y" })));
});

test("native histograms in series", () => {
  const text =
    "h {{schema:-53 sum:-3.5 count:22 z_bucket:1 z_bucket_w:0.001 custom_values:[1 2.5] buckets:[5 10 7] offset:-2 n_buckets:[1] counter_reset_hint:gauge}} {{}}+{{sum:1}}x2";
  const { values } = parseSeriesDescription(text);
  const [first, second, , last] = values;
  assert.ok(first?.kind === "histogram" && second?.kind === "histogram" && last?.kind === "histogram");
  assert.equal(first.hasHint, true);
  assert.equal(
    formatNotation(first.histogram),
    "{{schema:-53 count:22 sum:-3.5 z_bucket:1 z_bucket_w:0.001 custom_values:[1 2.5] counter_reset_hint:gauge offset:-2 buckets:[5 10 7] n_buckets:[1]}}",
  );
  assert.equal(second.hasHint, false);
  assert.equal(formatNotation(last.histogram), "{{sum:2}}");
});

test("bad notation is refused with its place", () => {
  const faults: readonly (readonly [string, RegExp])[] = [
    ["foo 1 x", /expected a number, "_", "stale" or a histogram at "x" \(column 7\)/],
    ["foo 1+2", /expected "x" and a number of repetitions/],
    ["foo 1x99999999999", /at most 10000000 repetitions/],
    ["foo {{bogus:1}}", /bad histogram descriptor found: "bogus"/],
    ["foo {{sum:1 sum:2}}", /duplicate key "sum"/],
    ["foo{a=} 1", /parse error: unexpected "}" in label set, expected string/],
  ];
  for (const [text, message] of faults) {
    assert.throws(() => parseSeriesDescription(text), { name: /^(NarthexError|ParseError)$/, message });
  }
  assert.throws(() => parseScript("load 5m\n  foo 1\n\nevil"), { message: 'line 4: invalid command "evil"' });
});

const script = `
# A comment.
load 5m
  foo{a="1"} 1 2
  bar@st -1m _
  bar 3 4

eval instant at 5m foo
  expect no_warn
  expect info regex: might .*
  foo{a="1"} 2

eval range from 0 to 5m step 5m foo
  foo{a="1"} 1 2

eval instant at 1m bad(foo)
  expect fail msg: no such function

eval instant at 1m scalar(foo)
  -0x1F

clear
`;

test("a script becomes commands", () => {
  const commands = parseScript(script);
  assert.deepEqual(
    commands.map((command) => [command.kind, command.line]),
    [
      ["load", 3],
      ["eval", 8],
      ["eval", 13],
      ["eval", 16],
      ["eval", 19],
      ["clear", 22],
    ],
  );
  assert.ok(commands[0]!.kind === "load" && commands[4]!.kind === "eval");
  assert.deepEqual(commands[0]!.series[1]!.startOffsetsMs, [-60_000, undefined]);
  assert.equal(commands[4]!.expected.scalar, -31);
});

test("an engine's answers are judged", async () => {
  const foo = Labels.from({ __name__: "foo", a: "1" });
  const judge = async (
    query: string,
    value: AnswerValue,
    texts: Partial<Answer> = {},
  ): Promise<string | undefined> => {
    const subject: Subject = {
      clear: () => Promise.resolve(),
      load: () => Promise.resolve(),
      evaluate: (command) => {
        if (command.query.startsWith("bad"))
          return Promise.reject(new NarthexError("bad_data", "no such function"));
        const answered = command.isRange ? repeated(value, command) : value;
        return Promise.resolve({ value: answered, warnings: [], infos: [], ...texts });
      },
    };
    return (await runScript(script, subject)).find((result) => result.query === query)!.failure;
  };
  const infos = ["it might be"];
  assert.equal(await judge("bad(foo)", { type: "scalar", value: 1 }), undefined);
  assert.equal(await judge("scalar(foo)", { type: "scalar", value: -31 }), undefined);
  assert.equal(await judge("scalar(foo)", { type: "scalar", value: -30 }), "scalar: expected -31, got -30");
  const good: AnswerValue = { type: "vector", samples: [{ labels: foo, value: 2.0000001 }] };
  assert.equal(await judge("foo", good, { infos }), undefined);
  assert.match((await judge("foo", good))!, /expected info annotation that matches/);
  assert.equal(await judge("foo", good, { infos, warnings: ["oh"] }), "unexpected warning: oh");
  assert.equal(
    await judge("foo", { type: "vector", samples: [] }, { infos }),
    'series foo{a="1"} is missing',
  );
  const twice: AnswerValue = { type: "vector", samples: [...good.samples, ...good.samples] };
  assert.equal(await judge("foo", twice, { infos }), 'series foo{a="1"} comes twice');
});

/** What a range query with three steps gives where every step gives the same. */
function repeated(value: AnswerValue, { startMs, stepMs }: EvalCommand): AnswerValue {
  const samples =
    value.type === "vector"
      ? value.samples
      : [{ labels: Labels.from({}), value: value.type === "scalar" ? value.value : 0 }];
  const series = samples.map(({ labels, value: each }) => ({
    labels,
    timestampsMs: [startMs, startMs + stepMs, startMs + 2 * stepMs],
    values: [each, each, each],
  }));
  return { type: "matrix", series };
}

test("a query is asked in every way that must come to the same", async () => {
  const asked: string[] = [];
  const subject: Subject = {
    clear: () => Promise.resolve(),
    load: () => Promise.resolve(),
    evaluate: (command) => {
      asked.push(`${command.query} at ${command.startMs}${command.isRange ? ` to ${command.endMs}` : ""}`);
      const value: AnswerValue = { type: "scalar", value: 1 };
      return Promise.resolve({
        value: command.isRange ? repeated(value, command) : value,
        warnings: [],
        infos: [],
      });
    },
  };
  const results = await runScript("eval instant at 5m scalar(foo)\n  1\n", subject);
  assert.equal(results[0]!.failure, undefined);
  const pinned = "scalar(foo @ 300.000)";
  const both = (query: string, ms: number): string[] => [
    `${query} at ${ms}`,
    `${query} at ${ms - 60_000} to ${ms + 60_000}`,
  ];
  assert.deepEqual(asked, [
    ...both("scalar(foo)", 300_000),
    ...[-3_000_000, 0, 60_000, 300_000, 3_000_000].flatMap((ms) => both(pinned, ms)),
  ]);
});

test("almost equal is relative", () => {
  assert.ok(almostEqual(1e300, 1e300 * (1 + 1e-7)));
  assert.ok(!almostEqual(0, 1e-300));
  assert.ok(almostEqual(NaN, NaN));
  assert.ok(!almostEqual(Infinity, Number.MAX_VALUE));
});
