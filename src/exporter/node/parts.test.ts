import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { FileTree } from "./files.ts";
import { NameFilter } from "./filter.ts";
import { expandGlob } from "./glob.ts";
import { zoneAbbreviation } from "./zone.ts";

test("names are matched anywhere, excluded or included", () => {
  const exclude = new NameFilter({ exclude: "^lo|veth" });
  assert.deepEqual(
    ["lo", "eth0", "xveth1"].map((name) => exclude.passes(name)),
    [false, true, false],
  );
  assert.equal(exclude.passes("lo"), false);
  const include = new NameFilter({ include: "th0$" });
  assert.deepEqual(
    ["eth0", "eth01"].map((name) => include.passes(name)),
    [true, false],
  );
  assert.ok(new NameFilter({}).passes("anything"));
});

test("globs in paths", async () => {
  const root = mkdtempSync(join(tmpdir(), "narthex-glob-"));
  for (const name of ["x1/in", "x2/in", "y/in"]) mkdirSync(join(root, name), { recursive: true });
  assert.deepEqual(await expandGlob(`${root}/x*/in`), [join(root, "x1/in"), join(root, "x2/in")]);
  assert.deepEqual(await expandGlob(`${root}/z*`), [`${root}/z*`]);
  assert.deepEqual(await expandGlob("/plain"), ["/plain"]);
  rmSync(root, { recursive: true });
});

test("files are read again and again, whatever their size, and noticed when they are replaced", () => {
  const root = mkdtempSync(join(tmpdir(), "narthex-files-"));
  const tree = new FileTree(`${root}/`);
  const large = "0123456789".repeat(20_000);
  writeFileSync(join(root, "a"), large);
  assert.equal(tree.read("a"), large);
  writeFileSync(join(root, "a"), " 0x1F\n");
  assert.equal(tree.read("a"), " 0x1F\n");
  assert.equal(tree.attribute("a"), "0x1F");
  assert.equal(tree.number("a"), 31);
  assert.equal(tree.attribute("absent"), undefined);
  assert.equal(tree.number("absent"), undefined);
  assert.equal(tree.readIfPresent("absent"), undefined);
  assert.throws(() => tree.read("absent"), { code: "ENOENT" });
  assert.deepEqual(tree.list("."), ["a"]);
  assert.deepEqual(tree.list("absent"), []);
  assert.throws(() => tree.read("../etc/passwd"), /stays under/);
  tree.close();
  assert.equal(tree.number("a"), 31);
  tree.close();
  rmSync(root, { recursive: true });
});

test("the time zone's name at an offset", () => {
  const before = process.env["TZ"];
  try {
    process.env["TZ"] = "Europe/Berlin";
    assert.equal(zoneAbbreviation(3600), "CET");
    assert.equal(zoneAbbreviation(7200), "CEST");
    process.env["TZ"] = "Nowhere/Atall";
    assert.equal(zoneAbbreviation(0), "UTC");
  } finally {
    if (before === undefined) delete process.env["TZ"];
    else process.env["TZ"] = before;
  }
});
