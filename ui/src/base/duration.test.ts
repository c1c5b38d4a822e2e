import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatDuration, humanizeDuration, neighbourRange, parseDuration } from "./duration.ts";

test("a duration is read as PromQL writes it", () => {
  assert.equal(parseDuration("1h30m"), 5_400_000);
  assert.equal(parseDuration("2y1w3d4h5m6s7ms"), 2 * 365 * 86_400_000 + 10 * 86_400_000 + 14_706_007);
  assert.equal(parseDuration("250ms"), 250);
  assert.equal(parseDuration(" 15 "), 15_000);
  assert.equal(parseDuration("0.5"), 500);
});

test("what is no duration is none", () => {
  for (const text of ["", "m", "1m1h", "-5m", "1 h", "5x", "1.5h", "1h 30m"])
    assert.equal(parseDuration(text), undefined, text);
});

test("every whole number of milliseconds is written and read back", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 400 * 86_400_000 }), (ms) => {
      assert.equal(parseDuration(formatDuration(ms)), ms);
    }),
  );
});

test("the usual ranges look as usual", () => {
  assert.equal(formatDuration(3_600_000), "1h");
  assert.equal(formatDuration(5_400_000), "1h30m");
  assert.equal(formatDuration(14 * 86_400_000), "2w");
  assert.equal(formatDuration(8 * 86_400_000), "8d");
  assert.equal(formatDuration(0), "0s");
});

test("a duration for reading has at most two units", () => {
  assert.equal(humanizeDuration(0.0312), "31.2 µs");
  assert.equal(humanizeDuration(840), "840 ms");
  assert.equal(humanizeDuration(12_340), "12.3 s");
  assert.equal(humanizeDuration(3_725_000), "1h 2m");
  assert.equal(humanizeDuration(3 * 86_400_000 + 4 * 3_600_000), "3d 4h");
  assert.equal(humanizeDuration(Number.NaN), "–");
});

test("stepping to wider and back again arrives where it began", () => {
  assert.equal(neighbourRange(3_600_000, "wider"), 7_200_000);
  assert.equal(neighbourRange(7_200_000, "narrower"), 3_600_000);
  assert.equal(neighbourRange(3_700_000, "narrower"), 3_600_000);
  assert.equal(neighbourRange(1000, "narrower"), 1000);
});
