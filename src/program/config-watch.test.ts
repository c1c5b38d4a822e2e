import assert from "node:assert/strict";
import { test } from "node:test";
import { type Disk, SimulatedClock, systemDisk } from "../base/index.ts";
import { watchConfig } from "./config-watch.ts";

test("a reload follows each change of content, and nothing that happens to the files ends the watch", async () => {
  const files = new Map([["rules/a.yml", "1"]]);
  let isForbidden = false;
  const disk: Disk = {
    ...systemDisk,
    stat: (path) => ({ sizeBytes: 0, isDirectory: path === "rules", modifiedMs: 0 }),
    list: () => {
      if (isForbidden) throw new Error("EACCES");
      return [...files.keys()].map((file) => file.slice("rules/".length));
    },
    readFile: (file) => Buffer.from(files.get(file) ?? assert.fail(file)),
  };
  const clock = new SimulatedClock(1e12);
  let reloads = 0;
  const reload = async (): Promise<void> => void reloads++;
  const watch = watchConfig({ disk, clock, intervalMs: 1000, files: () => ["rules/*.yml"], reload });
  const afterLook = async (): Promise<number> => {
    await clock.advance(1000);
    return reloads;
  };
  assert.equal(await afterLook(), 0);
  files.set("rules/a.yml", "2");
  assert.equal(await afterLook(), 1);
  isForbidden = true;
  assert.equal(await afterLook(), 2);
  assert.equal(await afterLook(), 2);
  isForbidden = false;
  assert.equal(await afterLook(), 3);
  files.set("rules/b.yml", "");
  assert.equal(await afterLook(), 4);
  watch.close();
  files.delete("rules/b.yml");
  assert.equal(await afterLook(), 4);
});
