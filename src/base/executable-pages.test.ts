import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { gunzipSync, gzipSync } from "node:zlib";
import { ExecutablePages, unchangedMappings } from "./executable-pages.ts";
import { loadSystemMemory } from "./system-memory.ts";
import { silentLogger } from "./log.ts";

const file = "/opt/node/bin/node";

/** A mapping as `/proc/self/smaps` describes it, of two pages. */
function mapping(rights: string, { path = file, anonymous = 0, swap = 0 } = {}): string {
  return [
    `00400000-00402000 ${rights} 00000000 fe:00 4711                      ${path}`.trimEnd(),
    "Size:                  8 kB",
    "Rss:                   8 kB",
    `Anonymous:      ${String(anonymous).padStart(8)} kB`,
    `Swap:           ${String(swap).padStart(8)} kB`,
    "VmFlags: rd ex mr mw me sd",
    "",
  ].join("\n");
}

test("mappings of the file that cannot have been written to are unchanged", () => {
  const [code] = unchangedMappings(mapping("r-xp"), file);
  assert.deepEqual(code, { line: mapping("r-xp").split("\n")[0], address: 0x400000n, bytes: 0x2000 });
  assert.equal(unchangedMappings(mapping("r--p"), file).length, 1);
  const several = mapping("r--p") + mapping("r-xp") + mapping("rw-p") + mapping("r-xp", { path: "" });
  assert.deepEqual(
    unchangedMappings(several, file).map(({ line }) => line.split(" ")[1]),
    ["r--p", "r-xp"],
  );
});

for (const [what, text] of Object.entries({
  "writable data": mapping("rw-p"),
  "writable code": mapping("rwxp"),
  "a shared mapping": mapping("r--s"),
  "a guard": mapping("---p"),
  "relocated addresses, read-only since": mapping("r--p", { anonymous: 4 }),
  "relocated addresses that are swapped out": mapping("r--p", { swap: 4 }),
  "another file": mapping("r-xp", { path: "/usr/lib/libc.so.6" }),
  "a file that this one's name ends": mapping("r-xp", { path: `/srv ${file}` }),
  "a file that was replaced": mapping("r-xp", { path: `${file} (deleted)` }),
  "memory of no file": mapping("r-xp", { path: "" }),
  "a system that does not tell what is anonymous": mapping("r-xp").replace(/^Anonymous.*\n/m, ""),
  "a system that does not tell what is swapped out": mapping("r-xp").replace(/^Swap.*\n/m, ""),
}))
  test(`${what} is left alone`, () => assert.deepEqual(unchangedMappings(text, file), []));

const memory = loadSystemMemory(silentLogger);

test(
  "this process's executable: what is released goes, and comes back",
  {
    skip: memory === undefined && "no koffi for this platform",
  },
  () => {
    const path = readlinkSync("/proc/self/exe");
    const residentKb = (): number => {
      const all = unchangedMappings(readFileSync("/proc/self/smaps", "utf8"), path);
      const lines = new Set(all.map(({ line }) => line));
      let sum = 0;
      for (const text of readFileSync("/proc/self/smaps", "utf8").split(/\n(?=[0-9a-f]+-)/))
        if (lines.has(text.split("\n", 1)[0]!)) sum += Number(/^Rss: +(\d+)/m.exec(text)![1]);
      return sum;
    };
    const pages = new ExecutablePages(memory!);
    const beforeKb = residentKb();
    pages.release();
    assert.ok(residentKb() < beforeKb / 2, `${residentKb()} kB of ${beforeKb} kB are left`);
    // The program goes on: what was not used so far, zlib and ICU, brings pages back.
    assert.equal(gunzipSync(gzipSync("ab")).toString().localeCompare("ac", "de"), -1);
    assert.ok(residentKb() > 0);
  },
);

test("a mapping that is no more is not touched", (t) => {
  const proc = mkdtempSync(join(tmpdir(), "narthex-proc-"));
  t.after(() => rmSync(proc, { recursive: true }));
  symlinkSync(file, join(proc, "exe"));
  const [code, constants] = [
    mapping("r-xp"),
    mapping("r--p").replace("00400000-00402000", "00403000-00406000"),
  ];
  writeFileSync(join(proc, "smaps"), code + constants);
  const released: [unknown, number][] = [];
  const pages = new ExecutablePages(
    { releasePages: (at, bytes) => released.push([at, bytes]) > 0, trimHeap() {} },
    proc,
  );
  const lines = [code, constants].map((text) => text.split("\n", 1)[0]!);
  const maps = (...present: string[]): void => writeFileSync(join(proc, "maps"), `${present.join("\n")}\n`);
  maps(...lines);
  pages.release();
  assert.deepEqual(released.splice(0), [
    [0x400000n, 0x2000],
    [0x403000n, 0x3000],
  ]);
  // Another file's mapping is where the code was, and the constants can be written to.
  maps(lines[0]!.replace(file, "/tmp/other"), lines[1]!.replace("r--p", "rw-p"));
  pages.release();
  assert.deepEqual(released, []);
});
