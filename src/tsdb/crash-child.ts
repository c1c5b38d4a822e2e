/**
 * A process to be killed: appends round after round to the directory in argv[2], from round argv[3] on, and reports on standard output
 * each round that was acknowledged, the first ones mostly before its replay has ended. Truncations that drop nothing run meanwhile, so that segments roll and checkpoints are written.
 */
import { writeSync } from "node:fs";
import { Registry } from "@narthex/client";
import { silentLogger, systemClock, systemDisk } from "../base/index.ts";
import { createKernel } from "../kernel/index.ts";
import { Labels } from "../model/index.ts";
import { openTsdb } from "./index.ts";
import { crashLabels, crashTimestampMs } from "./crash-rounds.ts";

const [, , directory, firstRound] = process.argv;
const kernel = createKernel({ limitBytes: 64 * 1024 * 1024 });
const tsdb = openTsdb({
  kernel,
  disk: systemDisk,
  clock: systemClock,
  directory: directory!,
  logger: silentLogger,
  registry: new Registry(),
  options: { futureMaxMs: Number.MAX_SAFE_INTEGER },
});
if (!tsdb.isAppendable) await tsdb.ready;
writeSync(1, "ready\n");
for (let round = Number(firstRound); ; round++) {
  const appender = tsdb.appender();
  for (const labels of crashLabels(round))
    appender.append(appender.reference(Labels.from(labels)), crashTimestampMs(round), round);
  appender.commit();
  writeSync(1, `${round}\n`);
  if (round % 25 === 0) void tsdb.truncate(0).catch(() => {});
  if (round % 5 === 0) await new Promise((resolve) => setImmediate(resolve));
}
