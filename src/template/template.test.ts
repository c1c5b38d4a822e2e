import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { NarthexError } from "../base/index.ts";
import {
  alertmanagerFunctions,
  DurationValue,
  ListValue,
  MapValue,
  stringList,
  stringMap,
  StructValue,
  Template,
  type TemplateMode,
  templateFunction,
  TimeValue,
  type Value,
} from "./index.ts";

/** The data over which the cases of go-cases.jsonl were run. */
const data = new MapValue(
  new Map<string, Value>([
    ["a", 1n],
    ["f", 2.5],
    ["s", "<b>\"x'"],
    [
      "m",
      stringMap([
        ["k", "v"],
        ["z", "y w"],
      ]),
    ],
    ["l", new ListValue([1n, "x", 2.5])],
    ["ss", stringList(["p", "q"])],
    ["e", ""],
    ["n", null],
    ["t", true],
    [
      "st",
      new StructValue(
        new Map<string, Value>([
          ["A", 3n],
          ["B", "q"],
        ]),
        { typeName: "main.S" },
      ),
    ],
    ["time", new TimeValue(1_700_000_000_123)],
    ["d", new DurationValue(3_723_500_000_000n)],
    ["u", "javascript:alert(1)"],
    ["h", "http://x.y/a b?c=d&e"],
  ]),
);

const functions = new Map([
  ...alertmanagerFunctions(() => 0),
  [
    "fail",
    templateFunction([], () => {
      throw new NarthexError("execution", "boom");
    }),
  ],
  ["now2", templateFunction([], () => new DurationValue(3_600_000_000_000n))],
]);

const run = (text: string, mode: TemplateMode = "text", dot: Value = data): string =>
  new Template({ functions }).parse("n", text).execute("n", dot, mode);

interface GoCase {
  readonly mode: TemplateMode;
  readonly text: string;
  readonly output?: string;
  readonly error?: string;
}

test("templates give what Go 1.26 gives, errors included", () => {
  const lines = readFileSync(new URL("go-cases.jsonl", import.meta.url), "utf8")
    .trim()
    .split("\n");
  for (const { mode, text, output, error } of lines.map((line) => JSON.parse(line) as GoCase)) {
    if (error === undefined) assert.equal(run(text, mode), output, text);
    else assert.throws(() => run(text, mode), { name: "NarthexError", message: error }, text);
  }
});

test("nothing of JavaScript's own objects is reachable", () => {
  for (const name of ["constructor", "__proto__", "toString", "prototype", "length", "items", "entries"]) {
    assert.equal(run(`{{.m.${name}}}`), "", name);
    assert.equal(run(`{{index .m "${name}"}}`), "", name);
    for (const field of ["l", "s", "a", "st", "time", "d"]) {
      assert.throws(() => run(`{{.${field}.${name}}}`), /can't evaluate field/, `${field}.${name}`);
    }
  }
});

test("executions end at their limits", () => {
  assert.throws(() => run(`{{define "r"}}{{template "r"}}{{end}}{{template "r"}}`), /maximum template depth/);
  const deep = `${"{{if true}}".repeat(490)}{{template "r"}}${"{{end}}".repeat(490)}`;
  assert.throws(
    () => run(`{{define "r"}}${deep}{{end}}{{template "r"}}`),
    /nested too deeply|maximum template depth/,
  );
  assert.throws(() => run("{{range 1000000000}}{{end}}"), /maximum number of steps/);
  const long = stringMap([["x", "y".repeat(1 << 20)]]);
  assert.throws(() => run("{{range 100}}{{$.x}}{{end}}", "text", long), /output exceeds/);
  assert.throws(() => run("(".repeat(5).replaceAll("(", "{{(") + "1"), /unexpected/);
  assert.throws(() => run(`{{${"(".repeat(100_000)}`), /max expression depth exceeded/);
  assert.throws(() => run("{{if true}}".repeat(100_000)), /max expression depth exceeded/);
});

test("the text of a definition is found whatever order the files came in", () => {
  const set = new Template();
  set.parse("a", `{{define "x"}}first{{end}}`).parse("b", `{{define "x"}}second{{end}}{{define "y"}}{{end}}`);
  set.parse("c", `{{define "x"}} {{end}}`);
  assert.equal(set.clone().parse("", `{{template "x"}}`).execute("", null), "second");
});

test("values cannot change the structure of HTML", () => {
  const places = [
    "<p>V</p>",
    '<p title="V">',
    "<p title='V'>",
    "<p title=V>",
    '<a href="V">',
    '<a href="/x?q=V">',
    '<p style="color: V">',
    '<p onclick="f(V)">',
    "<p onclick='f(\"V\")'>",
    "<script>x = V</script>",
    '<script>x = "V"</script>',
    "<script>x = `V`</script>",
    "<style>p { color: V }</style>",
    "<textarea>V</textarea>",
    "<!-- V --><p>",
    "<p V>",
  ];
  const hostile = fc.string({
    unit: fc.constantFrom(...Array.from("<>\"'`&;:=/\\ \n${}()[]-!abcjavscriptonstyle")),
  });
  const skeleton = (html: string): string => html.replace(/&[^;]*;|[^<>"']/g, "");
  fc.assert(
    fc.property(fc.constantFrom(...places), hostile, (place, value) => {
      const write = (text: string): string =>
        run(place.replace("V", "{{.v}}"), "html", stringMap([["v", text]]));
      const bare = skeleton(write("a"));
      const within = write(value);
      // Within a script a value is a string literal of its own, so quotes may be added in pairs there.
      const expected = place.includes("= V") || place.includes("f(V)") ? /["']/g : "";
      assert.equal(skeleton(within).replace(expected, ""), bare.replace(expected, ""), within);
      assert.ok(!/<\/script>.*<\/script>/s.test(within));
      if (place.includes('href="V')) assert.ok(!/href="\s*javascript:/i.test(within), within);
    }),
    { numRuns: 2000 },
  );
});

test("no template text crashes the engine: it runs, or fails with a typed error", () => {
  const piece = fc.constantFrom(
    ...'{{|}}|{{- | -}}|if |else |end|range |with |define |template |block |break|continue|.|.a|.m|.l|$|$x|:=|=|,|(|)|1|-2.5|"s"|`r`|\'c\'|print |printf |"%[2]*.*d"|index |slice |eq |len |and |nil|true| |\n|x|<a href="|<script>|/*|*/|\\|\u00e9|\ud83d\ude00'.split(
      "|",
    ),
    "|",
  );
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 30 }),
      fc.constantFrom<TemplateMode>("text", "html"),
      (pieces, mode) => {
        try {
          run(pieces.join(""), mode);
        } catch (error) {
          assert.ok(error instanceof NarthexError, `${pieces.join("")}: ${String(error)}`);
        }
      },
    ),
    { numRuns: 20_000 },
  );
});
