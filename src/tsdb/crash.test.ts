import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { Matcher } from "../model/index.ts";
import { crashTimestampMs } from "./crash-rounds.ts";
import { bitsOf, dump, openTest, temporaryDirectory } from "./test-support.ts";

const killings = Number(process.env["CRASH_ROUNDS"] ?? 6);
const seed = Number(process.env["CRASH_SEED"] ?? Date.now() % 1_000_000);

test("kill -9 at random instants loses nothing that was acknowledged", { timeout: 120_000 }, async (t) => {
  t.diagnostic(`CRASH_SEED=${seed}`);
  const directory = temporaryDirectory();
  t.after(() => rmSync(directory, { recursive: true }));
  const random = generator(seed);
  /** First and last round that each process had acknowledged. */
  const acknowledged: [first: number, last: number][] = [];
  let nextRound = 0;
  for (let killing = 0; killing < killings; killing++) {
    // Every third dies while it starts and replays.
    const last = await runAndKill(directory, nextRound, random() * 400, killing % 3 === 2);
    if (last >= nextRound) acknowledged.push([nextRound, last]);
    // The round after the last acknowledged one may be stored or not; a later process leaves it out.
    nextRound = last + 2;

    const { tsdb, kernel } = await openTest(directory, { nowMs: crashTimestampMs(nextRound) });
    const rounds = acknowledged.flatMap(([from, to]) =>
      Array.from({ length: to - from + 1 }, (_, i) => from + i),
    );
    const known = dump(kernel, tsdb.queryable, [new Matcher("=", "__name__", "known")]);
    assert.equal(known.size, acknowledged.length === 0 ? known.size : 200);
    for (const samples of known.values()) {
      const bits = new Map(samples);
      for (const round of rounds)
        assert.equal(bits.get(crashTimestampMs(round)), bitsOf(round), `round ${round}`);
      const maybe = acknowledged.length + killing + 1;
      assert.ok(samples.length <= rounds.length + maybe, "nothing is made up");
    }
    const created = dump(kernel, tsdb.queryable, [new Matcher("=", "__name__", "new")]);
    for (const round of rounds)
      assert.deepEqual(created.get(`{__name__="new", round="${round}"}`), [
        [crashTimestampMs(round), bitsOf(round)],
      ]);
    const before = dump(kernel, tsdb.queryable);
    await tsdb.close();

    const again = await openTest(directory, { nowMs: crashTimestampMs(nextRound) });
    assert.deepEqual(dump(again.kernel, again.tsdb.queryable), before, "a second restart changes nothing");
    await again.tsdb.close();
  }
});

/** Runs the child, kills it so long after it is ready, or after its begin, and returns the last round it acknowledged. */
async function runAndKill(
  directory: string,
  firstRound: number,
  lifeMs: number,
  fromBegin: boolean,
): Promise<number> {
  const child = spawn(
    process.execPath,
    [fileURLToPath(new URL("crash-child.ts", import.meta.url)), directory, String(firstRound)],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  let output = "";
  let isReady = fromBegin;
  if (fromBegin) setTimeout(() => child.kill("SIGKILL"), lifeMs);
  child.stdout.on("data", (chunk: Buffer) => {
    output += chunk.toString();
    if (isReady || !output.startsWith("ready\n")) return;
    isReady = true;
    setTimeout(() => child.kill("SIGKILL"), lifeMs);
  });
  await once(child, "close");
  assert.equal(child.signalCode, "SIGKILL", "the child ran until it was killed");
  // A line is whole when its newline is there.
  const lines = output.slice(0, output.lastIndexOf("\n")).split("\n").slice(1);
  return lines.length === 0 ? firstRound - 1 : Number(lines.at(-1));
}

function generator(start: number): () => number {
  let state = start;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
