import assert from "node:assert/strict";
import { test } from "node:test";
import { releaseBytes } from "./release.ts";

test("large blocks are given back, those that Node shares are left alone", () => {
  const large = new Uint8Array(1024 * 1024);
  releaseBytes(large);
  assert.equal(large.length, 0);
  const pooled = Buffer.from("a small answer");
  assert.ok(pooled.buffer.byteLength >= Buffer.poolSize);
  releaseBytes(pooled);
  assert.equal(pooled.toString(), "a small answer");
});
