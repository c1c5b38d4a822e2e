import assert from "node:assert/strict";
import { test } from "node:test";
import { describeLanguage } from "./language.ts";

test("what is experimental is named, and usable when it is enabled", () => {
  const plain = describeLanguage({});
  const full = describeLanguage({
    experimentalFunctions: true,
    extendedRangeSelectors: true,
    binopFillModifiers: true,
  });
  const off = (words: Record<string, boolean>): string[] => Object.keys(words).filter((word) => !words[word]);
  assert.deepEqual(off(plain.keywords), ["anchored", "fill", "fill_left", "fill_right", "smoothed"]);
  assert.deepEqual(off(plain.operators), ["limit_ratio", "limitk"]);
  assert.ok(off(plain.functions).includes("mad_over_time") && plain.functions["rate"]);
  for (const words of Object.values(full)) assert.deepEqual(off(words as Record<string, boolean>), []);
  for (const sign of ["+", "==", "=~", "@", "and", "atan2", "sum"])
    assert.equal(plain.operators[sign], true, sign);
  for (const word of ["offset", "by", "bool"]) assert.equal(plain.keywords[word], true, word);
});
