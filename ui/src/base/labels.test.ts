import assert from "node:assert/strict";
import { test } from "node:test";
import { formatLabels, matchesSearch, quote, searchTexts, varyingLabels } from "./labels.ts";

test("a label set is written as PromQL reads it", () => {
  assert.equal(formatLabels({ __name__: "up" }), "up");
  assert.equal(formatLabels({ __name__: "up", job: "a" }), 'up{job="a"}');
  assert.equal(formatLabels({ job: "a", zone: "b" }), '{job="a", zone="b"}');
  assert.equal(formatLabels({}), "{}");
  assert.equal(formatLabels({ __name__: "my.name", "a b": "c" }), '{"my.name", "a b"="c"}');
});

test("hostile values stay inside their quotes", () => {
  assert.equal(quote('a"b\\c\nd'), '"a\\"b\\\\c\\nd"');
  assert.equal(formatLabels({ x: "<img src=x>" }), '{x="<img src=x>"}');
});

test("only labels that differ vary", () => {
  const sets = [
    { __name__: "up", job: "a", zone: "1" },
    { __name__: "up", job: "b", zone: "1" },
  ];
  assert.deepEqual([...varyingLabels(sets)], ["job"]);
  assert.deepEqual([...varyingLabels(sets.slice(0, 1))].sort(), ["__name__", "job", "zone"]);
  assert.deepEqual([...varyingLabels([{ a: "1" }, {}])], ["a"]);
});

test("a search wants every word, letter case aside", () => {
  const texts = searchTexts({ job: "Node", instance: "a:9100" });
  assert.ok(matchesSearch("", texts));
  assert.ok(matchesSearch("node 9100", texts));
  assert.ok(matchesSearch('JOB="node"', texts));
  assert.ok(!matchesSearch("node 9200", texts));
});
