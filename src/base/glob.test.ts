import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { globFiles, matchesGlob, systemDisk } from "./index.ts";

test("globs", () => {
  for (const [pattern, yes, no] of [
    ["*", ["", "abc"], []],
    ["a*c", ["ac", "abbc", "acc"], ["ab", "bac"]],
    ["a?c", ["abc"], ["ac", "abbc"]],
    ["[a-c]x", ["ax", "cx"], ["dx", "x"]],
    ["[^a-c]x", ["dx"], ["ax"]],
    ["*a*b*", ["ab", "xaxbx"], ["ba"]],
    ["a\\*", ["a*"], ["ab"]],
    ["[a", [], ["a", "[a"]],
  ] as const) {
    for (const name of yes) assert.ok(matchesGlob(pattern, name), `${pattern} ${name}`);
    for (const name of no) assert.ok(!matchesGlob(pattern, name), `${pattern} ${name}`);
  }
  const start = performance.now();
  assert.ok(!matchesGlob("*a".repeat(50), "a".repeat(2000) + "b"));
  assert.ok(performance.now() - start < 1000);
});

test("patterns of file names", (t) => {
  const directory = mkdtempSync(path.join(tmpdir(), "narthex-"));
  t.after(() => rmSync(directory, { recursive: true }));
  mkdirSync(path.join(directory, "x1"));
  mkdirSync(path.join(directory, "x2.tmpl"));
  for (const name of ["a.tmpl", "b.tmpl", "c.txt", "x1/d.tmpl", "[e].tmpl"])
    writeFileSync(path.join(directory, name), "");
  const cases: [string, string[]][] = [
    ["*.tmpl", ["[e].tmpl", "a.tmpl", "b.tmpl"]],
    ["a.tmpl", ["a.tmpl"]],
    ["none.tmpl", []],
    ["none/*.tmpl", []],
    ["?.t*", ["a.tmpl", "b.tmpl", "c.txt"]],
    ["[a-b].tmpl", ["a.tmpl", "b.tmpl"]],
    ["[^a].tmpl", ["b.tmpl"]],
    ["x*/*.tmpl", ["x1/d.tmpl"]],
    ["\\[e\\].tmpl", ["[e].tmpl"]],
    [`${"*".repeat(50)}z`, []],
  ];
  for (const [pattern, expected] of cases) {
    const found = globFiles(systemDisk, path.join(directory, pattern)).map((file) =>
      path.relative(directory, file),
    );
    assert.deepEqual(found, expected, pattern);
  }
});
