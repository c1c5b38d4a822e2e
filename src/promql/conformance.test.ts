import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { conformanceDirectory, conformanceFiles } from "./testing/conformance-files.ts";
import { HeadSubject } from "./testing/head-subject.ts";
import { runScript } from "./testing/run.ts";

/** Cases that are known to fail, one `file:line` each. Set UPDATE_KNOWN_FAILURES to write it anew. */
const listPath = join(import.meta.dirname, "conformance-known-failures.txt");
const listHead = "# Cases of upstream's PromQL scripts that fail, as file:line. The list only shrinks.\n";
const shownMax = 20;

const files = conformanceFiles();
const skip = files.length > 0 ? false : `no conformance data in ${conformanceDirectory}`;

test("upstream's PromQL scripts pass, but for the known failures", { skip }, async () => {
  const known = new Set(
    readFileSync(listPath, "utf8")
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("#")),
  );
  const failures = new Map<string, string>();
  for (const { name, text } of files) {
    for (const { line, query, failure } of await runScript(text, new HeadSubject())) {
      if (failure !== undefined) failures.set(`${name}:${line}`, `${query}: ${failure}`);
    }
  }
  if (process.env["UPDATE_KNOWN_FAILURES"]) {
    writeFileSync(listPath, `${listHead}${[...failures.keys()].join("\n")}\n`);
    return;
  }
  const broken = [...failures]
    .filter(([place]) => !known.has(place))
    .map(([place, why]) => `${place} ${why}`);
  const mended = [...known].filter((place) => !failures.has(place));
  assert.deepEqual(broken.slice(0, shownMax), [], `${broken.length} cases fail that passed before`);
  assert.deepEqual(
    mended.slice(0, shownMax),
    [],
    `${mended.length} known failures pass now: strike them off the list`,
  );
});
