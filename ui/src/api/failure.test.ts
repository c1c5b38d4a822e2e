import assert from "node:assert/strict";
import { test } from "node:test";
import { failureOf } from "./failure.ts";

const body = (errorType: string): string => JSON.stringify({ status: "error", errorType, error: "no" });

const seen = (status: number, text: string): [kind: string, code: string, message: string] => {
  const { kind, code, message } = failureOf(status, text, false);
  return [kind, code, message];
};

test("an error in the API's envelope is the server's own word", () => {
  assert.deepEqual(seen(400, body("bad_data")), ["refused", "bad_data", "no"]);
  assert.deepEqual(seen(404, body("not_found")), ["refused", "not_found", "no"]);
  assert.deepEqual(seen(503, body("timeout")), ["refused", "timeout", "no"]);
});

test("a bare 503 means that the server is not ready, or not any more", () => {
  assert.deepEqual(seen(503, "Service Unavailable"), ["not ready", "HTTP 503", "Service Unavailable"]);
  assert.ok(failureOf(503, "", true).stopping);
});

test("a proxy's answer for a server that is away is none", () => {
  for (const status of [502, 504]) assert.equal(seen(status, "<html>Bad Gateway</html>")[0], "unreachable");
});

test("a bare 404 means that the server does not offer it", () => {
  assert.equal(seen(404, "404 page not found")[0], "missing");
});

test("the Alertmanager's errors are read as well", () => {
  assert.deepEqual(seen(400, '"end time is in the past"'), [
    "refused",
    "HTTP 400",
    "end time is in the past",
  ]);
  assert.deepEqual(seen(422, '{"code":602,"message":"comment is required"}'), [
    "refused",
    "HTTP 422",
    "comment is required",
  ]);
});

test("a long plain error is cut, an empty one says so", () => {
  assert.equal(seen(500, "x".repeat(10_000))[2].length, 500);
  assert.equal(seen(500, "")[2], "The server gave no reason.");
  assert.equal(seen(500, "null")[2], "null");
});
