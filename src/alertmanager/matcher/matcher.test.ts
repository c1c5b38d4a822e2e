import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createLogger, NarthexError, silentLogger } from "../../base/index.ts";
import { Matcher } from "../../model/index.ts";
import { parseClassicMatchers } from "./classic.ts";
import { MatcherParser, printMatchers } from "./index.ts";
import { parseUtf8Matchers } from "./utf8.ts";

const show = (matchers: readonly Matcher[]): string => printMatchers(matchers);

test("the UTF-8 syntax", () => {
  const good: [string, string][] = [
    ["{}", "{}"],
    ["", "{}"],
    ["a=b", `{a="b"}`],
    [`{a=b,c!=d,e=~f,g!~"h"}`, `{a="b",c!="d",e=~"f",g!~"h"}`],
    [`{a=b,}`, `{a="b"}`],
    [` { "a b" = "c\\"d\\n" } `, `{"a b"="c\\"d\\n"}`],
    ["foo🙂=bar", `{foo🙂="bar"}`],
    [`a="\\u00e9\\xc3\\xa9"`, `{a="éé"}`],
    ["a=b:c/d-e", `{a="b:c/d-e"}`],
  ];
  for (const [input, expected] of good) assert.equal(show(parseUtf8Matchers(input)), expected, input);
  const bad = [
    "a",
    "a=",
    "=b",
    "a=b c=d",
    "{a=b",
    "a=b}",
    "{a=b}}",
    "{,}",
    "a=b,,",
    "a==b",
    "a!b",
    "a=`b`",
    "a='b'",
    `a="b`,
    `a="\\q"`,
    "a=~(",
    "a=b,c",
  ];
  for (const input of bad) assert.throws(() => parseUtf8Matchers(input), NarthexError, input);
  assert.throws(() => parseUtf8Matchers("a!b"), { message: "1:2: !: expected one of '=~'" });
  assert.throws(() => parseUtf8Matchers("{a=b"), { message: "0:4: end of input: expected close brace" });
});

test("the classic syntax", () => {
  const good: [string, string][] = [
    [`{foo = "bar", dings != "bums", }`, `{foo="bar",dings!="bums"}`],
    ["foo=bar,dings!=bums", `{foo="bar",dings!="bums"}`],
    [
      `{quote="She said: \\"Hi, ladies! That's gender-neutral…\\""}`,
      `{quote="She said: \\"Hi, ladies! That's gender-neutral…\\""}`,
    ],
    [`statuscode=~"5.."`, `{statuscode=~"5.."}`],
    ["tricky=~~~", `{tricky=~"~~"}`],
    [`foo=`, `{foo=""}`],
    [`foo=a\\b`, `{foo="a\\\\b"}`],
    [`foo="a\\nb"`, `{foo="a\\nb"}`],
    ['trickier==\\\\=\\=\\"', `{trickier="=\\\\=\\\\=\\""}`],
  ];
  for (const [input, expected] of good) assert.equal(show(parseClassicMatchers(input)), expected, input);
  for (const input of ["", "{}"]) assert.equal(show(parseClassicMatchers(input)), "{}");
  for (const input of [`foo="bar`, `foo=ba"r`, "foo", "1a=b", "a b=c", `foo="b"ar"`, "foo=~("]) {
    assert.throws(() => parseClassicMatchers(input), NarthexError, input);
  }
});

test("both together: the classic reading holds where they differ, with a warning", () => {
  const lines: string[] = [];
  const parser = new MatcherParser("fallback", createLogger({ write: (line) => lines.push(line) }));
  assert.equal(show(parser.parse("a=b", "test")), `{a="b"}`);
  assert.equal(show(parser.parse("foo🙂=bar", "test")), `{foo🙂="bar"}`);
  assert.equal(lines.length, 0);
  assert.equal(show(parser.parse("a=b c", "test")), `{a="b c"}`);
  assert.match(lines.pop() ?? "", /only valid in the classic syntax/);
  assert.equal(show(parser.parse(`a="\\u00e9"`, "test")), `{a="\\\\u00e9"}`);
  assert.match(lines.pop() ?? "", /disagreement/);
  assert.throws(() => parser.parse("a!b", "test"), { message: "bad matcher format: a!b" });
  assert.throws(() => parser.parseOne("{a=b}", "test"), /unexpected open or close brace/);
  assert.throws(() => parser.parseOne("a=b,c=d", "test"), /expected 1 matcher, found 2/);
  assert.throws(() => new MatcherParser("utf8-strict", silentLogger).parse("a=b c", "test"));
  assert.throws(() => new MatcherParser("classic", silentLogger).parse("foo🙂=bar", "test"));
});

test("printed matchers read as the same, whatever they hold", () => {
  const text = fc.string({
    unit: fc.constantFrom("a", "é", "🙂", '"', "\\", "\n", " ", ",", "{", "=", "~", "'"),
  });
  fc.assert(
    fc.property(
      text.filter((name) => name !== ""),
      fc.constantFrom("=", "!="),
      text,
      (name, type, value) => {
        const printed = show([new Matcher(type as "=", name, value)]);
        assert.equal(show(parseUtf8Matchers(printed)), printed);
      },
    ),
  );
});
