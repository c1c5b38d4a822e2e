import assert from "node:assert/strict";
import { test } from "node:test";
import { createParser, ExpositionError, parseSeriesLine, type TextFormat } from "./index.ts";

const encoder = new TextEncoder();

/** One line per entry, for comparing. */
function entries(text: string | Uint8Array, format: TextFormat): string[] {
  const parser = createParser(typeof text === "string" ? encoder.encode(text) : text, format);
  const found: string[] = [];
  for (let kind = parser.next(); kind !== "end"; kind = parser.next()) {
    if (kind === "series") {
      const exemplar = parser.exemplar();
      const tail = exemplar && ` # ${exemplar.labels.toString()} ${exemplar.value} ${exemplar.timestampMs}`;
      found.push(`${parser.labels().toMetricString()} ${parser.value} ${parser.timestampMs}${tail ?? ""}`);
    } else if (kind === "comment") found.push(`comment ${parser.text()}`);
    else if (kind === "type") found.push(`type ${parser.metricName()} ${parser.type}`);
    else found.push(`${kind} ${parser.metricName()} ${JSON.stringify(parser.text())}`);
  }
  return found;
}

test("the text format, with all the white space that is tolerated", () => {
  const text = `# HELP latency_seconds A \\\\ and a \\n but no \\" here.
# \tTYPE latency_seconds summary
latency_seconds{quantile="0"} 4.9351e-05
latency_seconds{quantile="0.25",} 1
  latency_seconds { quantile = "1" a = "b" } NaN  123123

# Hrandom comment starting like HELP
#
#no blank
# HELP nohelp1
# HELP nohelp2${" "}
# TYPE x untyped
x{le="10"}+Inf
x:y_1\t-Inf
empty{} 0
escapes{a="\\"\\\\\\n\\x",b="line
break"} 1
nul{a="b\x00"} 1
no_line_break{empty="",z="ü"} 0x`.replace("0x", "1e3");
  assert.deepEqual(entries(text, "text"), [
    'help latency_seconds "A \\\\ and a \\n but no \\\\\\" here."',
    "type latency_seconds summary",
    'latency_seconds{quantile="0.0"} 0.000049351 undefined',
    'latency_seconds{quantile="0.25"} 1 undefined',
    'latency_seconds{a="b", quantile="1.0"} NaN 123123',
    "comment Hrandom comment starting like HELP",
    "comment ",
    "comment no blank",
    'help nohelp1 ""',
    'help nohelp2 ""',
    "type x unknown",
    'x{le="10"} Infinity undefined',
    "x:y_1 -Infinity undefined",
    "empty 0 undefined",
    'escapes{a="\\"\\\\\\n\\\\x", b="line\\nbreak"} 1 undefined',
    'nul{a="b\\x00"} 1 undefined',
    'no_line_break{z="ü"} 1000 undefined',
  ]);
});

test("names in quotes", () => {
  const text = `# TYPE "http.status" gauge
# HELP "http.status" Help.
{"http.status","a.b"="c",d="e"} 1
{"http.status"} 2
{d="e","q\\"uoted"} 3
`;
  assert.deepEqual(entries(text, "text"), [
    "type http.status gauge",
    'help http.status "Help."',
    '{"http.status", "a.b"="c", d="e"} 1 undefined',
    '{"http.status"} 2 undefined',
    '{"q\\"uoted", d="e"} 3 undefined',
  ]);
});

test("OpenMetrics, with units, exemplars and seconds", () => {
  const text = `# HELP foo Help \\" with \\\\ and \\n.
# TYPE foo_seconds histogram
# UNIT foo_seconds seconds
foo_seconds_bucket{le="1"} 3 # {trace_id="a\\"b"} 0.5
foo_seconds_bucket{le="+Inf"} 17.0 1520879607.789 # {id="x",n="y"} 0.67 -1.5
foo_seconds_count 17 1.5
{"a.b"} 1
# UNIT nounit${" "}
# TYPE s stateset
s{s="a"} 1 # {} 4
# EOF
`;
  const expected = [
    'help foo "Help \\" with \\\\ and \\n."',
    "type foo_seconds histogram",
    'unit foo_seconds "seconds"',
    'foo_seconds_bucket{le="1.0"} 3 undefined # {trace_id="a\\"b"} 0.5 undefined',
    'foo_seconds_bucket{le="+Inf"} 17 1520879607789 # {id="x", n="y"} 0.67 -1500',
    "foo_seconds_count 17 1500",
    '{"a.b"} 1 undefined',
    'unit nounit ""',
    "type s stateset",
    's{s="a"} 1 undefined # {} 4 undefined',
  ];
  assert.deepEqual(entries(text, "openmetrics"), expected);
  assert.deepEqual(entries(text.slice(0, -1), "openmetrics"), expected);
});

function complaint(text: string | Uint8Array, format: TextFormat): string {
  let found = "accepted";
  try {
    entries(text, format);
  } catch (error) {
    if (!(error instanceof ExpositionError)) throw error;
    found = `${error.line}:${error.column} ${error.reason}`;
  }
  return found;
}

const textErrors: readonly [input: string | Uint8Array, error: string][] = [
  ["a", '1:2 expected value after metric, got end of data while parsing: "a"'],
  ["x 1\n\na \nb 2", '3:3 expected value after metric, got "\\n" while parsing: "a "'],
  ["a{b='c'} 1\n", `1:5 expected label value, got "'c'}" while parsing: "a{b='c'} 1"`],
  ["ü", '1:1 expected a valid start token, got "ü" while parsing: "ü"'],
  ['a{ä="c"} 1\n', '1:3 expected label name, got "ä=\\"c\\"}" while parsing: "a{ä=\\"c\\"} 1"'],
  ['{"a", "b = "c"}', '1:13 expected equal, got "c\\"}" while parsing: "{\\"a\\", \\"b = \\"c\\"}"'],
  ["a true\n", '1:3 expected a number as value, got "true" while parsing: "a true"'],
  ["ok 1\na 1_2", '2:3 expected a number as value, got "1_2" while parsing: "a 1_2"'],
  ["a 0x1p-3", '1:3 expected a number as value, got "0x1p-3" while parsing: "a 0x1p-3"'],
  ["a 1e999", '1:3 expected a number as value, got "1e999" while parsing: "a 1e999"'],
  ["a 0 1_2\n", '1:6 expected next entry after timestamp, got "_2" while parsing: "a 0 1_2"'],
  ["a 0 -1\n", '1:5 expected timestamp or new record, got "-1" while parsing: "a 0 -1"'],
  [
    "a 0 9223372036854775808",
    '1:5 expected a timestamp that fits 64 bits while parsing: "a 0 9223372036854775808"',
  ],
  ['{a="ok"} 1', '1:1 metric name not set while parsing: "{a=\\"ok\\"} 1"'],
  ['a{"b"} 1', '1:3 metric name already set while parsing: "a{\\"b\\"} 1"'],
  ['{"a","b"} 1', '1:6 metric name already set while parsing: "{\\"a\\",\\"b\\"} 1"'],
  ['{""} 1', '1:2 expected a metric name that is not empty while parsing: "{\\"\\"} 1"'],
  ['a{b="c",b="d"} 1', '1:1 label name "b" is not unique while parsing: "a{b=\\"c\\",b=\\"d\\"} 1"'],
  ['a{__name__="c"} 1', '1:1 label name "__name__" is not unique while parsing: "a{__name__=\\"c\\"} 1"'],
  ['a{b="c', '1:5 expected label value with a closing quote, got "\\"c" while parsing: "a{b=\\"c"'],
  ["a{", '1:3 expected label name, got end of data while parsing: "a{"'],
  ['a{,b="c"} 1', '1:3 expected label name, got ",b=\\"c\\"}" while parsing: "a{,b=\\"c\\"} 1"'],
  [
    Buffer.from('a{b="\xff"} 1', "latin1"),
    '1:5 invalid UTF-8 label value while parsing: "a{b=\\"\ufffd\\"} 1"',
  ],
  ["# TYPE #\n", '1:8 expected metric name after TYPE, got "#" while parsing: "# TYPE #"'],
  ["# HELP \n", '1:8 expected metric name after HELP, got "\\n" while parsing: "# HELP "'],
  ["# TYPE a foo\n", '1:10 invalid metric type "foo" while parsing: "# TYPE a foo"'],
  ["# TYPE a  gauge\n", '1:10 invalid metric type " gauge" while parsing: "# TYPE a  gauge"'],
  ["a\0 1", '1:2 expected a number as value, got "\\x00" while parsing: "a\\x00 1"'],
];

const openMetricsErrors: readonly [input: string | Uint8Array, error: string][] = [
  ["", '1:1 data does not end with # EOF while parsing: ""'],
  ["a 1\n", '2:1 data does not end with # EOF while parsing: ""'],
  ["a 1", '1:4 data does not end with # EOF while parsing: "a 1"'],
  ["\n", '1:1 expected a valid start token, got "\\n" while parsing: ""'],
  [" a 1\n", '1:1 expected a valid start token, got " " while parsing: " a 1"'],
  ["# a comment\n", '1:1 expected a valid start token, got "#" while parsing: "# a comment"'],
  [
    "#\tTYPE c counter\n",
    '1:1 expected a valid start token, got "#\\tTYPE" while parsing: "#\\tTYPE c counter"'.replace(
      '#\\tTYPE"',
      '#"',
    ),
  ],
  ["# TYPE u untyped\n", '1:10 invalid metric type "untyped" while parsing: "# TYPE u untyped"'],
  ["# TYPE m\n", '1:9 expected text in TYPE, got "\\n" while parsing: "# TYPE m"'],
  ["# UNIT ms s\n", '1:11 unit "s" not a suffix of metric "ms" while parsing: "# UNIT ms s"'],
  ["a\t1\n", '1:2 expected value after metric, got "\\t" while parsing: "a\\t1"'],
  ["a 1\t2\n", '1:3 expected a number as value after metric, got "1" while parsing: "a 1\\t2"'],
  ["a 1 2 \n", '1:6 expected next entry after timestamp, got " " while parsing: "a 1 2 "'],
  ["a 1 2 3\n", '1:6 expected next entry after timestamp, got " " while parsing: "a 1 2 3"'],
  ["a 1 NaN\n", '1:5 invalid timestamp NaN while parsing: "a 1 NaN"'],
  ["# EOF\na 1", '2:1 unexpected data after # EOF while parsing: "a 1"'],
  ["# EOF\n\n", '2:1 unexpected data after # EOF while parsing: ""'],
  ["# EOFa 1", '1:6 unexpected data after # EOF while parsing: "# EOFa 1"'],
  [
    'a{b="c"d="e"} 1\n',
    '1:8 expected comma or brace close, got "d=\\"e\\"}" while parsing: "a{b=\\"c\\"d=\\"e\\"} 1"',
  ],
  ['a{b="c", d="e"} 1\n', '1:9 expected label name, got " " while parsing: "a{b=\\"c\\", d=\\"e\\"} 1"'],
  ['a{b="c\nd"} 1\n', '1:5 expected label value with a closing quote, got "\\"c" while parsing: "a{b=\\"c"'],
  [
    'a 1 # {b="c"}\n',
    '1:14 expected value after exemplar labels, got "\\n" while parsing: "a 1 # {b=\\"c\\"}"',
  ],
  ["a 1 # {b}\n", '1:9 expected equal, got "}" while parsing: "a 1 # {b}"'],
  ['a 1 # {"b"} 1\n', '1:11 expected equal, got "}" while parsing: "a 1 # {\\"b\\"} 1"'],
  ['a 1 # {b="c"} 4 NaN\n', '1:17 invalid exemplar timestamp NaN while parsing: "a 1 # {b=\\"c\\"} 4 NaN"'],
  [
    'a 1 # {b="c"} 4 1 # {b="c"} 4\n',
    '1:18 expected next entry after exemplar, got " " while parsing: "a 1 # {b=\\"c\\"} 4 1 # {b=\\"c\\"} 4"',
  ],
];

for (const [format, cases] of [
  ["text", textErrors],
  ["openmetrics", openMetricsErrors],
] as const) {
  test(`errors of the ${format} format say where and what`, () => {
    for (const [input, error] of cases) assert.equal(complaint(input, format), error);
  });
}

test("an error's message names line and column", () => {
  assert.throws(() => entries("a 1\nb{c=1} 2\n", "text"), {
    name: "ExpositionError",
    message: 'line 2, column 5: expected label value, got "1}" while parsing: "b{c=1} 2"',
  });
});

test("a single line of a larger text", () => {
  const bytes = encoder.encode('first 1\nh_bucket{le="1"} 2 3\n# c\nlast 4 # {a="b"} 1');
  const line = parseSeriesLine(bytes, 8, 28, "text", { type: "histogram" });
  assert.deepEqual(line && { ...line, labels: line.labels.toMetricString() }, {
    labels: 'h_bucket{le="1.0"}',
    seriesStart: 8,
    seriesEnd: 24,
    value: 2,
    timestampMs: 3,
    exemplar: undefined,
  });
  assert.equal(parseSeriesLine(bytes, 29, 32, "text"), undefined);
  assert.equal(parseSeriesLine(bytes, 33, bytes.length, "openmetrics")?.exemplar?.value, 1);
  assert.throws(
    () => parseSeriesLine(bytes, 9, 15, "text", { firstLine: 7 }),
    /^ExpositionError: line 7, column 7/,
  );
});

test("bytes in shared memory are read where they are", () => {
  const source = encoder.encode('a{b="ü"} 1.5\n');
  const shared = new Uint8Array(new SharedArrayBuffer(source.length + 8), 8);
  shared.set(source);
  assert.deepEqual(entries(shared, "text"), ['a{b="ü"} 1.5 undefined']);
});
