import assert from "node:assert/strict";
import { test } from "node:test";
import {
  formatMatcher,
  matchersOf,
  newMatcher,
  operators,
  operatorOf,
  readLabels,
  withOperator,
} from "./matchers.ts";

test("every operator comes back", () => {
  for (const operator of operators)
    assert.equal(operatorOf(withOperator(newMatcher("a", "b"), operator)), operator);
});

test("a matcher of an old answer, without isEqual, is a positive one", () => {
  assert.equal(formatMatcher({ name: "a", value: 'x"y', isRegex: true }), 'a=~"x\\"y"');
});

test("labels become equal matchers", () => {
  assert.deepEqual(matchersOf({ job: "a" }), [{ name: "job", value: "a", isRegex: false, isEqual: true }]);
});

test("only labels are read from a link", () => {
  assert.deepEqual(readLabels('{"a":"b","n":1}'), { a: "b" });
  for (const text of ["", "[]", "null", "7", "{"]) assert.equal(readLabels(text), undefined);
});
