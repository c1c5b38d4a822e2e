import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatBytes, formatCount, formatSi, formatValue, parseSample } from "./unit.ts";

test("numbers are scaled with SI prefixes", () => {
  assert.equal(formatSi(0), "0");
  assert.equal(formatSi(0.25), "0.25");
  assert.equal(formatSi(1234567), "1.235M");
  assert.equal(formatSi(-1500), "-1.5k");
  assert.equal(formatSi(0.00042), "420µ");
  assert.equal(formatSi(999_999), "1M");
  assert.equal(formatSi(Number.POSITIVE_INFINITY), "+Inf");
  assert.equal(formatSi(Number.NaN), "NaN");
  assert.equal(formatSi(1e-20), "1.00e-20");
});

test("bytes are scaled in powers of two", () => {
  assert.equal(formatBytes(0), "0 B");
  assert.equal(formatBytes(1536), "1.5 KiB");
  assert.equal(formatBytes(1023), "1023 B");
  assert.equal(formatBytes(5 * 2 ** 30), "5 GiB");
});

test("a unit says how its values look", () => {
  assert.equal(formatValue(0.1234, "percent"), "12.3 %");
  assert.equal(formatValue(0.002, "seconds"), "2 ms");
  assert.equal(formatValue(7200, "seconds"), "2 h");
  assert.equal(formatValue(2048, "bytes/s"), "2 KiB/s");
  assert.equal(formatValue(1200, "per second"), "1.2k/s");
});

test("counts have thin spaces between thousands", () => {
  assert.equal(formatCount(1234567), "1\u202f234\u202f567");
  assert.equal(formatCount(12), "12");
});

test("no number becomes longer than an axis has room for", () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, min: -1e20, max: 1e20 }), (value) => {
      assert.ok(formatSi(value).length <= 10, `${value} → ${formatSi(value)}`);
    }),
  );
});

test("samples are read as the server writes them", () => {
  assert.equal(parseSample("+Inf"), Infinity);
  assert.equal(parseSample("-Inf"), -Infinity);
  assert.equal(parseSample("1e+21"), 1e21);
  assert.ok(Number.isNaN(parseSample("NaN")));
});
