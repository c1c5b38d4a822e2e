import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

interface LockedPackage {
  resolved?: string;
  optionalDependencies?: Record<string, string>;
}

const file = new URL("../package-lock.json", import.meta.url);
const { packages } = JSON.parse(readFileSync(file, "utf8")) as { packages: Record<string, LockedPackage> };

/** npm leaves out what the machine that wrote the file could not get, and then refuses to install from it elsewhere. */
test("the lock file has the packages of every platform", () => {
  const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter(
      (name) => !(`node_modules/${name}` in packages) && !(`${path}/node_modules/${name}` in packages),
    ),
  );
  assert.deepEqual(missing, []);
});

test("the lock file names no registry", () => {
  const addresses = Object.values(packages).flatMap(({ resolved }) =>
    resolved?.includes("://") ? [resolved] : [],
  );
  assert.deepEqual(addresses, []);
});
