import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { test } from "node:test";
import { Registry } from "@narthex/client";
import { silentLogger, SimulatedClock, systemDisk } from "../../base/index.ts";
import { createKernel } from "../../kernel/index.ts";
import { Labels } from "../../model/index.ts";
import { watchLoop } from "../../../test/support/loop-watch.ts";
import { baseTimeMs, directoryOf } from "../test-support.ts";
import { openTsdb } from "../tsdb.ts";
import { MaintenanceThread } from "./maintenance-thread.ts";

const seriesCount = 30_000;
const minutes = 180;
/** Nothing that is appended waits longer. */
const stallMsMax = 50;
/** On a machine with too much to do everything takes longer; the CPU that it takes does not. */
const noiseFactor = 10;

test("appends go on while a block is written, the head truncated and the log cut", async (t) => {
  const directory = directoryOf(t);
  const kernel = createKernel({ limitBytes: 1024 * 1024 * 1024 });
  const clock = new SimulatedClock(baseTimeMs);
  const keeper = new MaintenanceThread({ kernel, directory, logger: silentLogger });
  const tsdb = openTsdb({
    kernel,
    disk: systemDisk,
    clock,
    directory,
    logger: silentLogger,
    registry: new Registry(),
    keeper,
    options: { walSyncIntervalMs: 60_000 },
  });
  await tsdb.ready;
  const creating = tsdb.appender();
  const refs = Array.from({ length: seriesCount }, (_, id) =>
    creating.reference(Labels.from({ __name__: `m${id % 50}`, id: `${id}` })),
  );
  creating.commit();
  const append = (from: number, to: number, timestampMs: number): void => {
    const appender = tsdb.appender();
    for (let i = from; i < to; i++) appender.append(refs[i]!, timestampMs, i + timestampMs / 1000);
    assert.equal(appender.commit().appended, to - from);
  };
  for (let minute = 0; minute < minutes; minute++) {
    append(0, seriesCount, clock.nowMs());
    await clock.advance(60_000);
  }
  // A target of five hundred series every few milliseconds, each time another one: a hundred thousand samples a second.
  let scrapes = 0;
  let lastMs = 0;
  const scrape = (): void => {
    if (performance.now() - lastMs < 5) return;
    lastMs = performance.now();
    const from = (scrapes * 500) % seriesCount;
    append(from, from + 500, clock.nowMs() + 1 + Math.floor((scrapes++ * 500) / seriesCount));
  };
  const quiet = await watchLoop(sleep(300), scrape);
  await clock.advance(60_000);
  const busy = await watchLoop(tsdb.maintained, scrape);
  assert.equal(tsdb.blocks().length, 1, "the block was written meanwhile");
  assert.ok(scrapes > 20);
  const show = ({ wallMs, cpuMs, ownMs }: typeof busy): string =>
    `${cpuMs.toFixed(1)} ms of CPU, ${ownMs.toFixed(1)} ms, with waits for a CPU ${wallMs.toFixed(1)} ms`;
  t.diagnostic(`longest turn: ${show(busy)}; without a block being written: ${show(quiet)}`);
  assert.ok(busy.cpuMs <= stallMsMax, show(busy));
  assert.ok(busy.ownMs <= noiseFactor * stallMsMax, show(busy));
  await tsdb.close();
});
