import assert from "node:assert/strict";
import { test } from "node:test";
import { Annotations } from "./annotations.ts";

const at = (start: number): { start: number; end: number } => ({ start, end: start + 1 });

test("each text comes once, with line and column of its first place", () => {
  const annotations = new Annotations();
  annotations.warn("odd", at(7));
  annotations.warn("odd", at(0));
  annotations.inform("nice", at(0));
  assert.deepEqual(annotations.render("sum(\n  up)"), {
    warnings: ["PromQL warning: odd (2:3)"],
    infos: ["PromQL info: nice (1:1)"],
  });
});

test("columns count bytes", () => {
  const annotations = new Annotations();
  annotations.inform("x", at(4));
  assert.deepEqual(annotations.render('"é" + up').infos, ["PromQL info: x (1:6)"]);
});

test("what is too much is counted", () => {
  const annotations = new Annotations();
  for (let i = 0; i < 12; i++) annotations.warn(`w${i}`, at(0));
  const { warnings } = annotations.render("up");
  assert.equal(warnings.length, 11);
  assert.equal(warnings[10], "2 more warning annotations omitted");
  assert.equal(annotations.render("up", undefined, 0).warnings.length, 12);
});

test("what is counted is told how often it came, at its first place", () => {
  const annotations = new Annotations();
  annotations.warn("overlap", at(3), at(3), 1);
  assert.deepEqual(annotations.render("a + b").warnings, ["PromQL warning: overlap (1:4)"]);
  annotations.warn("overlap", at(0), at(0), 1);
  annotations.warn("overlap", at(4), at(4), 1);
  assert.deepEqual(annotations.render("a + b").warnings, ["PromQL warning: overlap (3 occurrences) (1:1)"]);
});

test("the largest difference is told in two digits, of which the last is even where there is a choice", () => {
  for (const [maxDiff, text] of [
    [905, "9e+02"],
    [915, "9.2e+02"],
    [905.0000001, "9.1e+02"],
    [0.125, "0.12"],
    [0.375, "0.38"],
    [12.5, "12"],
    [99.5, "1e+02"],
    [0.00002, "2e-05"],
  ] as const) {
    const annotations = new Annotations();
    const [minTimestampMs, maxTimestampMs, minBucket, maxBucket] = [0, 0, 1, 1];
    const monotonicity = { minTimestampMs, maxTimestampMs, minBucket, maxBucket, maxDiff, count: 1 };
    annotations.add({ level: "info", text: "fixed", position: at(0), monotonicity });
    assert.match(
      annotations.render("up").infos[0]!,
      new RegExp(`max diff of ${text.replaceAll(/[+.]/g, "\\$&")}, over`),
    );
  }
});

test("fixes of buckets add up", () => {
  const annotations = new Annotations();
  const fix = (timestampMs: number, minBucket: number, maxDiff: number): void =>
    annotations.add({
      level: "info",
      text: "fixed",
      position: at(0),
      monotonicity: {
        minTimestampMs: timestampMs,
        maxTimestampMs: timestampMs,
        minBucket,
        maxBucket: minBucket,
        maxDiff,
        count: 1,
      },
    });
  fix(60_000, 0.5, 1);
  fix(0, 5, 1.26);
  const between = "from 1970-01-01T00:00:00Z to 1970-01-01T00:01:00Z";
  assert.deepEqual(annotations.render("up").infos, [
    `fixed, from buckets 0.5 to 5, with a max diff of 1.3, over 2 samples ${between} (1:1)`,
  ]);
});
