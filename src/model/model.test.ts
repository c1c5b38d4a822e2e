import assert from "node:assert/strict";
import { test } from "node:test";
import {
  compareStrings,
  formatDuration,
  formatGoDuration,
  formatExponent,
  formatPlain,
  formatShortest,
  formatValue,
  Labels,
  Matcher,
  parseDuration,
  parseGoDuration,
  parseNumber,
  quoteGo,
  Regexp,
} from "./index.ts";

test("labels are sorted, unique and without empty values", () => {
  const labels = Labels.from({ b: "2", a: "1", c: "", __name__: "up" });
  assert.deepEqual(labels.pairs, ["__name__", "up", "a", "1", "b", "2"]);
  assert.equal(labels.toMetricString(), 'up{a="1", b="2"}');
  assert.equal(labels.withoutMetricName().toString(), '{a="1", b="2"}');
  assert.equal(Labels.from({ __name__: "a.b", x: "y" }).toMetricString(), '{"a.b", x="y"}');
});

test("strings are ordered by their UTF-8 bytes", () => {
  const samples = ["", "a", "a\0", "b", "é", "\ufffd", "\u{1f600}", "\u{10ffff}", "\ue000", "z"];
  for (const a of samples) {
    for (const b of samples) {
      assert.equal(
        Math.sign(compareStrings(a, b)),
        Math.sign(Buffer.compare(Buffer.from(a), Buffer.from(b))),
        `${a} ${b}`,
      );
    }
  }
});

test("durations", () => {
  const cases: [string, number, string?][] = [
    ["0", 0, "0s"],
    ["15s", 15_000],
    ["1h30m", 5_400_000],
    ["1y", 31_536_000_000],
    ["1d12h", 129_600_000],
    ["2w", 1_209_600_000],
    ["90s", 90_000, "1m30s"],
    ["8d", 691_200_000],
    ["250ms", 250],
    ["10y1d", 315_446_400_000, "3651d"],
  ];
  for (const [text, ms, printed] of cases) {
    assert.equal(parseDuration(text), ms, text);
    assert.equal(formatDuration(ms), printed ?? text);
  }
  for (const bad of ["", "1", "1x", "1m1h", "1.5h", "-1s", "300y"])
    assert.throws(() => parseDuration(bad), { code: "bad_data" }, bad);
});

test("Go's own durations", () => {
  const cases: [string, number, string][] = [
    ["0", 0, "0s"],
    ["1.5h", 5_400_000, "1h30m0s"],
    ["1h2m3.5s", 3_723_500, "1h2m3.5s"],
    ["-1m", -60_000, "-1m0s"],
    ["250ms", 250, "250ms"],
    ["3µs", 0.003, "3µs"],
    ["7ns", 7e-6, "7ns"],
  ];
  for (const [text, ms, printed] of cases) {
    assert.equal(parseGoDuration(text), ms, text);
    assert.equal(formatGoDuration(BigInt(Math.round(ms * 1e6))), printed);
  }
  for (const [bad, message] of [
    ["", 'time: invalid duration ""'],
    ["x", 'time: invalid duration "x"'],
    ["1", 'time: missing unit in duration "1"'],
    ["1d", 'time: unknown unit "d" in duration "1d"'],
  ])
    assert.throws(() => parseGoDuration(bad!), { code: "bad_data", message: message! });
  assert.equal(parseGoDuration("1.5w2d", true), 12.5 * 86_400_000);
});

test("numbers are printed as Go prints them", () => {
  const cases: [number, string, string, string][] = [
    [0, "0", "0", "0"],
    [-0, "-0", "-0", "-0"],
    [1.5, "1.5", "1.5", "1.5"],
    [1e21, "1e+21", "1000000000000000000000", "1e+21"],
    [1e-7, "1e-07", "0.0000001", "1e-07"],
    [0.00001, "0.00001", "0.00001", "1e-05"],
    [123456789, "123456789", "123456789", "1.23456789e+08"],
    [NaN, "NaN", "NaN", "NaN"],
    [Infinity, "+Inf", "+Inf", "+Inf"],
    [-Infinity, "-Inf", "-Inf", "-Inf"],
  ];
  for (const [value, api, plain, shortest] of cases) {
    assert.equal(formatValue(value), api);
    assert.equal(formatPlain(value), plain);
    assert.equal(formatShortest(value), shortest);
  }
  assert.equal(formatExponent(1), "1e+00");
});

test("numbers are read as Go reads them", () => {
  const cases: [string, number | undefined][] = [
    ["1", 1],
    ["-1.5e3", -1500],
    [".5", 0.5],
    ["5.", 5],
    ["+Inf", Infinity],
    ["-inf", -Infinity],
    ["Infinity", Infinity],
    ["NaN", NaN],
    ["0x1p-2", 0.25],
    ["0x1.8p1", 3],
    ["", undefined],
    ["1_000", undefined],
    ["abc", undefined],
    ["1e", undefined],
    ["--1", undefined],
  ];
  for (const [text, value] of cases) assert.equal(parseNumber(text), value, text);
});

test("regular expressions have RE2 semantics, with and without shortcuts", () => {
  const cases: [string, string[], string[]][] = [
    ["a|b", ["a", "b"], ["ab", ""]],
    ["(?:a|b)", ["a"], ["c"]],
    [".*", ["", "x\ny"], []],
    [".+", ["\n"], [""]],
    ["api.*", ["api", "api/x"], ["xapi"]],
    [".*api", ["api", "xapi"], ["apix"]],
    [".+api.+", ["xapix"], ["api", "apix", "xapi"]],
    ["a.c", ["abc", "a\nc"], ["ac"]],
    ["(?i)abc", ["ABC"], ["abd"]],
    [".+", ["a"], [""]],
    ["|a", ["", "a"], ["b"]],
    ["a{2}", ["aa"], ["a{2}"]],
    [".*a.*", ["xay", "a"], ["b"]],
  ];
  for (const [source, yes, no] of cases) {
    const regexp = Regexp.compile(source);
    for (const text of yes) assert.ok(regexp.matches(text), `${source} ~ ${text}`);
    for (const text of no) assert.ok(!regexp.matches(text), `${source} !~ ${text}`);
  }
  assert.throws(() => Regexp.compile("(a"), { code: "bad_data" });
  assert.throws(() => new Matcher("=~", "a", "["), { code: "bad_data" });
});

test("strings are quoted as Go quotes them", () => {
  assert.equal(quoteGo('a"b\\c\n\x01é\u00a0\u{1f600}'), '"a\\"b\\\\c\\n\\x01é\\u00a0😀"');
});
