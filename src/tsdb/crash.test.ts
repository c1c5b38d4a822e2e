import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { cpuMs } from "../../bench/process.ts";
import {
  crashChunkRangeMs,
  type CrashDeletion,
  crashLateTimestampMs,
  type CrashReport,
  crashRoundMs,
  crashTimestampMs,
  crashWindowMs,
  parseCrashReport,
} from "./crash-rounds.ts";
import { bitsOf, type Dump, dump, type Opened, openTest, temporaryDirectory } from "./test-support.ts";

const killings = Number(process.env["CRASH_ROUNDS"] ?? 50);
const seed = Number(process.env["CRASH_SEED"] ?? Date.now() % 1_000_000);
/** Every so often the storage is opened twice, and the second time must find what the first did. */
const secondLookEvery = 7;
const random = generator(seed);
/** How often it is looked how long a process has worked. */
const watchMs = 3;

/** What all processes so far were told. */
interface History {
  /** Rounds that are stored, and those that may be: one was under way when its process died. */
  readonly acknowledged: Set<number>;
  readonly maybe: Set<number>;
  readonly deleted: CrashDeletion[];
  readonly maybeDeleted: CrashDeletion[];
}

test("kill -9 at random instants loses nothing that was acknowledged", { timeout: 1_200_000 }, async (t) => {
  t.diagnostic(`CRASH_SEED=${seed}`);
  const directory = temporaryDirectory();
  t.after(() => {
    for (const path of [directory, `${directory}-report`]) rmSync(path, { recursive: true });
  });
  const history: History = { acknowledged: new Set(), maybe: new Set(), deleted: [], maybeDeleted: [] };
  let nextRound = 0;
  let blocks = 0;
  for (let killing = 0; killing < killings; killing++) {
    // Every fifth dies while it starts and replays.
    const report = await runAndKill(directory, nextRound, random() * 1000, killing % 5 === 4);
    nextRound = remember(history, report, nextRound);
    const opened = await openAgain(directory, nextRound);
    blocks = Math.max(blocks, opened.tsdb.blocks().length);
    const before = dump(opened.kernel, opened.tsdb.queryable);
    check(before, history);
    await opened.tsdb.close();
    if (killing % secondLookEvery !== 0) continue;
    const again = await openAgain(directory, nextRound);
    assert.deepEqual(dump(again.kernel, again.tsdb.queryable), before, "a second restart changes nothing");
    await again.tsdb.close();
  }
  const { acknowledged, deleted } = history;
  t.diagnostic(
    `${killings} kills, ${acknowledged.size} rounds, ${deleted.length} deletions, ${blocks} blocks`,
  );
  if (killings >= 50) assert.ok(blocks > 0 && deleted.length > 0, "blocks were written and samples deleted");
});

function openAgain(directory: string, nextRound: number): Promise<Opened> {
  const nowMs = crashTimestampMs(nextRound);
  // Now by one thread, now by two.
  const readAheadBytesMin = nextRound % 2 === 0 ? 0 : Infinity;
  const options = {
    chunkRangeMs: crashChunkRangeMs,
    retention: {},
    outOfOrderWindowMs: crashWindowMs,
    readAheadBytesMin,
  };
  return openTest(directory, { nowMs, ...options });
}

/** Adds what a process reported, and returns the round from which the next one may go on. */
function remember(history: History, { rounds, begun, deleted }: CrashReport, firstRound: number): number {
  for (const round of rounds) history.acknowledged.add(round);
  history.deleted.push(...deleted);
  history.maybeDeleted.push(...begun);
  const last = rounds.at(-1) ?? firstRound - 1;
  history.maybe.add(last + 1);
  return last + 2;
}

function check(all: Dump, history: History): void {
  const isLate = (labels: string): boolean => labels.includes('"late"');
  checkLate(
    [...all].filter(([labels]) => isLate(labels)).flatMap(([, samples]) => samples),
    history,
  );
  const { acknowledged, maybe, deleted, maybeDeleted } = history;
  const stored: Dump = new Map([...all].filter(([labels]) => !isLate(labels)));
  for (const [labels, samples] of stored) {
    const id = Number(/id="(\d+)"/.exec(labels)?.[1] ?? NaN);
    const covers = (round: number) => (deletion: CrashDeletion) =>
      deletion.id === id && deletion.from <= round && round <= deletion.to;
    const found = new Map(samples);
    assert.equal(found.size, samples.length, `${labels}: no time twice`);
    for (const [timestampMs, bits] of samples) {
      const round = (timestampMs - crashTimestampMs(0)) / crashRoundMs;
      assert.ok(acknowledged.has(round) || maybe.has(round), `${labels}: round ${round} is made up`);
      assert.equal(bits, bitsOf(round), `${labels}: round ${round}`);
      assert.ok(!deleted.some(covers(round)), `${labels}: round ${round} was deleted`);
    }
    if (!labels.includes("known")) continue;
    for (const round of acknowledged)
      if (!found.has(crashTimestampMs(round)) && !maybeDeleted.some(covers(round)))
        assert.fail(`${labels}: round ${round} is lost`);
  }
  for (const round of acknowledged)
    assert.ok(stored.has(`{__name__="new", round="${round}"}`), `the series of round ${round} is lost`);
}

/** What came late is all there, at its time. */
function checkLate(
  samples: readonly (readonly [timestampMs: number, bits: bigint])[],
  { acknowledged, maybe }: History,
): void {
  const known = new Map([...acknowledged, ...maybe].map((round) => [bitsOf(round), round]));
  const found = new Set<number>();
  for (const [timestampMs, bits] of samples) {
    const round = known.get(bits);
    assert.ok(round !== undefined, `late sample at ${timestampMs} is made up`);
    assert.equal(timestampMs, crashLateTimestampMs(round), `late sample of round ${round}`);
    found.add(round);
  }
  for (const round of acknowledged) assert.ok(found.has(round), `the late sample of round ${round} is lost`);
}

/**
 * Runs the child, kills it when it has worked so long since it was ready, or since its begin, and returns what it reported. What counts is its time on the
 * processor: on a machine with much else to do it lives longer, and does as much.
 */
async function runAndKill(
  directory: string,
  firstRound: number,
  lifeMs: number,
  fromBegin: boolean,
): Promise<CrashReport> {
  const reportFile = `${directory}-report`;
  writeFileSync(reportFile, "");
  const child = spawn(
    process.execPath,
    [fileURLToPath(new URL("crash-child.ts", import.meta.url)), directory, String(firstRound), reportFile],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  let watch: NodeJS.Timeout | undefined;
  const killLater = (): void => {
    const bornMs = cpuMs(child.pid!);
    watch = setInterval(() => {
      if (child.exitCode !== null || child.signalCode !== null) clearInterval(watch);
      else if (cpuMs(child.pid!) - bornMs >= lifeMs) child.kill("SIGKILL");
    }, watchMs);
  };
  if (fromBegin) killLater();
  // It says nothing there but that it is ready.
  else child.stdout.once("data", killLater);
  child.stdout.resume();
  await once(child, "close");
  clearInterval(watch);
  assert.equal(child.signalCode, "SIGKILL", "the child ran until it was killed");
  return parseCrashReport(readFileSync(reportFile, "utf8"));
}

function generator(start: number): () => number {
  let state = start;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
