import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { yamlPieces } from "./yaml.ts";

const kinds = (line: string): string[] => yamlPieces(line).map(({ kind, text }) => `${kind}:${text}`);

test("keys, values and comments are told apart", () => {
  assert.deepEqual(kinds("  scrape_interval: 15s"), [
    "mark:  ",
    "key:scrape_interval",
    "mark::",
    "number: 15s",
  ]);
  assert.deepEqual(kinds('- "quoted: text"'), ["mark:- ", 'string:"quoted: text"']);
  assert.deepEqual(kinds("# a remark: here"), ["comment:# a remark: here"]);
  assert.deepEqual(kinds("- targets:"), ["mark:- ", "key:targets", "mark::"]);
  assert.deepEqual(kinds("- localhost:9090"), ["mark:- ", "plain:localhost:9090"]);
});

test("nothing is lost or added", () => {
  fc.assert(
    fc.property(fc.string(), (line) => {
      assert.equal(
        yamlPieces(line)
          .map(({ text }) => text)
          .join(""),
        line,
      );
    }),
  );
});
