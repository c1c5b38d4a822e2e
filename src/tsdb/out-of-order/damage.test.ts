import assert from "node:assert/strict";
import { readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { test, type TestContext } from "node:test";
import { Labels } from "../../model/index.ts";
import { abandon, baseTimeMs, directoryOf, dump, type Opened, openTest } from "../test-support.ts";

const hourMs = 3_600_000;
const nowMs = baseTimeMs + 2 * hourMs;
const samplesPerCommit = 20;
const commits = 9;

function open(directory: string): Promise<Opened> {
  return openTest(directory, { nowMs, outOfOrderWindowMs: 2 * hourMs, walCompression: "none" });
}

/** Late samples in commits of twenty, which are left as `kill -9` would. Returns where each commit ends in the log. */
async function fill(t: TestContext): Promise<{ directory: string; ends: number[]; path: string }> {
  const directory = directoryOf(t);
  const { tsdb } = await open(directory);
  const path = `${directory}/wbl/00000000`;
  const ends: number[] = [];
  for (let commit = -1; commit < commits; commit++) {
    const appender = tsdb.appender();
    const ref = appender.reference(Labels.from({ __name__: "m" }));
    if (commit < 0) appender.append(ref, nowMs, 0);
    else
      for (let i = 0; i < samplesPerCommit; i++)
        appender.append(ref, baseTimeMs + commit * samplesPerCommit + i, commit);
    appender.commit();
    if (commit >= 0) ends.push(statSync(path).size);
  }
  abandon(directory);
  return { directory, ends, path };
}

/** The commits whose late samples are all there, and how many samples there are of others. */
function found({ kernel, tsdb }: Opened): { whole: number[]; rest: number } {
  const times = [...dump(kernel, tsdb.queryable).values()][0]!.map(([ms]) => ms - baseTimeMs);
  const whole = Array.from({ length: commits }, (_, commit) => commit).filter((commit) =>
    Array.from({ length: samplesPerCommit }, (_, i) => commit * samplesPerCommit + i).every((ms) =>
      times.includes(ms),
    ),
  );
  return { whole, rest: times.length - 1 - whole.length * samplesPerCommit };
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

test("a torn end of the log is cut, wherever it is torn, and costs its commit alone", async (t) => {
  const { directory, ends, path } = await fill(t);
  const { size } = statSync(path);
  const bytes = readFileSync(path);
  for (const cut of [1, 7, 60, size - ends[5]! + 3, size - 3, size]) {
    writeFileSync(path, bytes);
    truncateSync(path, size - cut);
    rmSync(`${directory}/chunks_head`, { recursive: true, force: true });
    const opened = await open(directory);
    const whole = ends.filter((end) => end <= size - cut).length;
    assert.deepEqual(found(opened).whole, upTo(whole), `${cut} bytes less`);
    const isTorn = size - cut > (ends[whole - 1] ?? 0);
    assert.match(
      opened.registry.expose(),
      new RegExp(`^narthex_tsdb_wal_torn_tails_total ${isTorn ? 1 : 0}$`, "m"),
    );
    abandon(directory);
    for (const name of readdirSync(`${directory}/wbl`))
      if (name !== "00000000") rmSync(`${directory}/wbl/${name}`);
  }
});

test("a flipped bit in the log costs its record, unless that is in a chunk, and is counted", async (t) => {
  const { directory, ends, path } = await fill(t);
  const bytes = readFileSync(path);
  let losses = 0;
  for (let offset = 3; offset < bytes.length; offset += 97) {
    const commit = ends.findIndex((end) => offset < end);
    const flipped = Buffer.from(bytes);
    flipped[offset]! ^= 0x10;
    writeFileSync(path, flipped);
    const opened = await open(directory);
    const { whole, rest } = found(opened);
    if (whole.length < commits) losses++;
    assert.deepEqual(
      upTo(commits).filter((each) => !whole.includes(each) && each !== commit),
      [],
      `byte ${offset}`,
    );
    assert.ok(rest < samplesPerCommit);
    assert.match(opened.registry.expose(), /^prometheus_tsdb_wal_corruptions_total [1-9]/m, `byte ${offset}`);
    abandon(directory);
    for (const name of readdirSync(`${directory}/wbl`))
      if (name !== "00000000") rmSync(`${directory}/wbl/${name}`);
  }
  assert.ok(losses > 0);
});

test("a log of length zero, or of zeros, is an empty one", async (t) => {
  for (const bytes of [0, 5, 40_000]) {
    const { directory, path } = await fill(t);
    rmSync(`${directory}/chunks_head`, { recursive: true, force: true });
    writeFileSync(path, Buffer.alloc(bytes));
    const opened = await open(directory);
    assert.deepEqual(found(opened), { whole: [], rest: 0 });
    const appender = opened.tsdb.appender();
    appender.append(appender.reference(Labels.from({ __name__: "m" })), nowMs - 5, 1);
    assert.equal(appender.commit().appended, 1);
    await opened.tsdb.close();
    const again = await open(directory);
    assert.deepEqual(found(again), { whole: [], rest: 1 });
    await again.tsdb.close();
  }
});
