import assert from "node:assert/strict";
import { test } from "node:test";
import { Place } from "./index.ts";

const plain = (text: string): unknown => Place.parse(text, "a.yml").toPlain();

test("aliases stand for the last anchor of their name before them, and merges fill in", () => {
  assert.deepEqual(plain("a: &x 1\nb: *x\nc: &x [2, 3]\nd: *x\n"), { a: 1, b: 1, c: [2, 3], d: [2, 3] });
  assert.deepEqual(plain("base: &base {a: 1, b: 2}\nof:\n  <<: *base\n  b: 3\n"), {
    base: { a: 1, b: 2 },
    of: { b: 3, a: 1 },
  });
  assert.deepEqual(plain("a: &x [&y 1, *y]\nb: *x\n"), { a: [1, 1], b: [1, 1] });
});

test("aliases that lead nowhere, into themselves, or to far too much are refused with their place", () => {
  assert.throws(() => plain("a: [*x]\nb: &x 1\n"), /^NarthexError: a\.yml:1:5: .*x/);
  assert.throws(
    () => plain("a: &x [1, *x]\n"),
    /^NarthexError: a\.yml:1:11: anchor 'x' value contains itself$/,
  );
  const levels = Array.from({ length: 9 }, (_, i) => `l${i + 1}: &l${i + 1} [${`*l${i},`.repeat(9)}]`);
  assert.throws(
    () => plain(`l0: &l0 lol\n${levels.join("\n")}\n`),
    /aliases stand for more than 250000 values$/,
  );
  const wide = `big: &big [${"a,".repeat(20_000)}]\nall:\n${"- *big\n".repeat(20_000)}`;
  assert.throws(() => plain(wide), /a\.yml:\d+:3: aliases stand for more than 250000 values$/);
  const many = `one: &one a\nall: [${"*one,".repeat(50_000)}]\n`;
  assert.equal((plain(many) as { all: string[] }).all.length, 50_000);
});
