/**
 * A process to be killed: appends round after round to the directory in argv[2], from round argv[3] on, some simulated seconds each, a sample of each late, and reports in the file argv[4]
 * what was acknowledged, the first rounds mostly before its replay has ended. Blocks are cut, compacted and cleaned, segments roll, checkpoints are written and
 * samples deleted meanwhile.
 */
import { openSync, writeSync } from "node:fs";
import { Registry } from "@narthex/client";
import { silentLogger, SimulatedClock, systemDisk } from "../base/index.ts";
import { createKernel } from "../kernel/index.ts";
import { Labels, Matcher } from "../model/index.ts";
import { MaintenanceThread, openTsdb } from "./index.ts";
import {
  crashChunkRangeMs,
  crashRoundMs,
  type CrashDeletion,
  crashLabels,
  crashLateLabels,
  crashLateTimestampMs,
  crashSeries,
  crashTimestampMs,
  crashWindowMs,
  encodeDeletion,
} from "./crash-rounds.ts";

const [, , directory, firstRound, reportFile] = process.argv;
/** A file, since a pipe that nobody reads in time takes no more. */
const report = openSync(reportFile!, "a");
const kernel = createKernel({ limitBytes: 64 * 1024 * 1024 });
const clock = new SimulatedClock(crashTimestampMs(Number(firstRound)));
const keeper = new MaintenanceThread({ kernel, directory: directory!, logger: silentLogger });
const tsdb = openTsdb({
  kernel,
  disk: systemDisk,
  clock,
  directory: directory!,
  logger: silentLogger,
  registry: new Registry(),
  keeper,
  options: {
    chunkRangeMs: crashChunkRangeMs,
    retention: {},
    futureMaxMs: Number.MAX_SAFE_INTEGER,
    outOfOrderWindowMs: crashWindowMs,
  },
});
// Its thread takes a while to start, and life is short.
keeper.compact([crashChunkRangeMs]).catch(() => {});
if (!tsdb.isAppendable) await tsdb.ready;
writeSync(1, "ready\n");
for (let round = Number(firstRound); ; round++) {
  const appender = tsdb.appender();
  for (const labels of crashLabels(round))
    appender.append(appender.reference(Labels.from(labels)), crashTimestampMs(round), round);
  const lateRef = appender.reference(Labels.from(crashLateLabels(round)));
  appender.append(lateRef, crashLateTimestampMs(round), round);
  appender.commit();
  writeSync(report, `${round}\n`);
  if (round % 20 === 0) void deleteSome(round).catch(() => {});
  if (round % 70 === 0) void tsdb.cleanTombstones().catch(() => {});
  await clock.advance(crashRoundMs);
  // Rounds take less time than blocks: half of the life shall be spent on those.
  if (round % 30 === 0) await tsdb.maintained;
}

/** A few rounds of one series, some of them in blocks and some in the head. */
async function deleteSome(round: number): Promise<void> {
  const id = round % crashSeries;
  const deletion: CrashDeletion = { id, from: Math.max(0, round - 100), to: Math.max(0, round - 10) };
  writeSync(report, encodeDeletion("deleting", deletion));
  await tsdb.deleteSeries({
    selectors: [[new Matcher("=", "__name__", "known"), new Matcher("=", "id", `${id}`)]],
    minTimestampMs: crashTimestampMs(deletion.from),
    maxTimestampMs: crashTimestampMs(deletion.to),
  });
  writeSync(report, encodeDeletion("deleted", deletion));
}
