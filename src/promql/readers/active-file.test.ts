import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { type Logger, silentLogger, systemDisk } from "../../base/index.ts";
import { ActiveFile, decodeUnfinished } from "./active-file.ts";

const directory = mkdtempSync(join(tmpdir(), "active-"));
const path = join(directory, "queries.active");
after(() => rmSync(directory, { recursive: true }));

function recordingLogger(): { logger: Logger; lines: [string, unknown][] } {
  const lines: [string, unknown][] = [];
  const logger: Logger = { ...silentLogger, warn: (message, fields) => lines.push([message, fields]) };
  return { logger, lines };
}

test("what had not ended is told at the next start", () => {
  const first = new ActiveFile({ directory, slots: 3, disk: systemDisk, logger: silentLogger });
  assert.equal(statSync(path).size, 3001);
  const leave = first.enter("up", 5_000_900);
  first.enter('rate(a{b="\u{1f525}"}[5m])', 6_000_000);
  leave();
  first.enter('"'.repeat(5000), 7_000_000);
  first.close();
  const file = readFileSync(path);
  assert.equal(file[0], 0x5b);
  const unfinished = decodeUnfinished(file);
  assert.deepEqual(
    unfinished.map(({ timestamp_sec }) => timestamp_sec),
    [7000, 6000],
  );
  assert.match(unfinished[0]!.query, /^"{400,}$/);
  const { logger, lines } = recordingLogger();
  new ActiveFile({ directory, slots: 1, disk: systemDisk, logger }).close();
  assert.deepEqual(lines, [
    ["These queries did not end in the last run", { queries: JSON.stringify(unfinished) }],
  ]);
  assert.deepEqual(decodeUnfinished(readFileSync(path)), []);
});

test("a damaged file, more queries than places and a disk that fails harm nothing", () => {
  assert.deepEqual(decodeUnfinished(new Uint8Array(0)), []);
  assert.deepEqual(decodeUnfinished(Buffer.from("[{half")), []);
  const small = new ActiveFile({ directory, slots: 1, disk: systemDisk, logger: silentLogger });
  small.enter("a", 0);
  small.enter("b", 0)();
  small.close();
  assert.equal(decodeUnfinished(readFileSync(path)).length, 1);
  const { logger, lines } = recordingLogger();
  const full = { ...systemDisk, write: () => assert.fail("no space") };
  const broken = new ActiveFile({ directory, slots: 1, disk: full, logger });
  broken.enter("a", 0)();
  broken.close();
  assert.equal(lines.at(-1)![0], "Running queries cannot be noted in the data directory");
});
