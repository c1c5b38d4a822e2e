import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { systemDisk } from "./disk.ts";

test("a file is replaced as a whole, wherever it is named from", (t) => {
  const directory = mkdtempSync(join(tmpdir(), "narthex-disk-"));
  const before = process.cwd();
  process.chdir(directory);
  t.after(() => {
    process.chdir(before);
    rmSync(directory, { recursive: true });
  });
  for (const path of ["report.xml", "./report.xml", join(directory, "report.xml")]) {
    systemDisk.writeFileAtomic(path, path);
    assert.equal(readFileSync("report.xml", "utf8"), path);
  }
  assert.deepEqual(readdirSync("."), ["report.xml"]);
});
