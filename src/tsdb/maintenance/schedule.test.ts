import assert from "node:assert/strict";
import { test } from "node:test";
import { type Logger, silentLogger, SimulatedClock } from "../../base/index.ts";
import { MaintenanceSchedule } from "./schedule.ts";

test("work comes one after the other, by itself each minute or when it is asked for", async () => {
  const clock = new SimulatedClock();
  const done: string[] = [];
  let finish = (): void => {};
  const schedule = new MaintenanceSchedule({
    clock,
    logger: silentLogger,
    tend: () => done.push("tended"),
    maintain: async () => {
      done.push("maintained");
    },
  });
  schedule.begin();
  const first = schedule.inTurn(() => {
    done.push("first");
    return new Promise((resolve) => (finish = resolve));
  });
  await clock.advance(1000);
  await clock.advance(59_000);
  assert.deepEqual(
    done.filter((what) => what !== "tended"),
    ["first"],
  );
  assert.ok(done.includes("tended"));
  finish();
  await first;
  await schedule.settled;
  // The next minute begins when the work of this one is over.
  await clock.advance(60_000);
  await schedule.settled;
  assert.deepEqual(
    done.filter((what) => what !== "tended"),
    ["first", "maintained", "maintained"],
  );
  schedule.stop();
});

test("what fails keeps nothing from its turn, and nothing is begun once it is stopped", async () => {
  const clock = new SimulatedClock();
  let rounds = 0;
  const errors: string[] = [];
  const logger: Logger = { ...silentLogger, error: (message) => errors.push(message) };
  const schedule = new MaintenanceSchedule({
    clock,
    logger,
    tend: () => {},
    maintain: () => {
      rounds++;
      return Promise.reject(new Error("disk is full"));
    },
  });
  schedule.begin();
  for (let minute = 0; minute < 3; minute++) {
    await clock.advance(60_000);
    await schedule.settled;
  }
  assert.deepEqual([rounds, errors.length], [3, 3]);
  await assert.rejects(
    schedule.inTurn(() => Promise.reject(new Error("no"))),
    { message: "no" },
  );
  let isDone = false;
  await schedule.inTurn(async () => {
    isDone = true;
  });
  assert.ok(isDone);
  schedule.stop();
  await assert.rejects(
    schedule.inTurn(() => Promise.resolve()),
    { code: "unavailable" },
  );
  await clock.advance(120_000);
  await schedule.settled;
  assert.equal(rounds, 3);
});
