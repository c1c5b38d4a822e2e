import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatAgo, formatTime, isZeroTime, parseTime } from "./time.ts";

test("a time is written in UTC and read back", () => {
  const timeMs = Date.UTC(2026, 10, 20, 6, 2, 34);
  assert.equal(formatTime(timeMs, "utc"), "2026-11-20 06:02:34");
  assert.equal(parseTime("2026-11-20 06:02:34", "utc"), timeMs);
  assert.equal(parseTime("2026-11-20T06:02", "utc"), Date.UTC(2026, 10, 20, 6, 2));
  assert.equal(parseTime("2026-11-20", "utc"), Date.UTC(2026, 10, 20));
  assert.equal(formatTime(timeMs + 50, "utc"), "2026-11-20 06:02:34.050");
});

test("every time is read back as it was written, in UTC", () => {
  fc.assert(
    fc.property(fc.integer({ min: Date.UTC(1970, 0), max: Date.UTC(2999, 0) }), (timeMs) => {
      assert.equal(parseTime(formatTime(timeMs, "utc"), "utc"), timeMs);
    }),
  );
});

test("days that do not exist are no times", () => {
  for (const text of ["2026-02-30 00:00:00", "2026-13-01", "yesterday", "", "2026-1", "12:00"]) {
    assert.equal(parseTime(text, "utc"), undefined, text);
  }
});

test("ago reads like speech", () => {
  assert.equal(formatAgo(10_000, 10_400), "just now");
  assert.equal(formatAgo(0, 3000), "3 s ago");
  assert.equal(formatAgo(250_000, 0), "in 4m 10s");
  assert.equal(formatAgo(Date.parse("0001-01-01T00:00:00Z"), 0), "never");
  assert.ok(isZeroTime(Number.NaN));
});
