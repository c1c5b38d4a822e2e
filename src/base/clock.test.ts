import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock } from "./clock.ts";

test("no timer fires before its time", async () => {
  const delaysMs = Array.from({ length: 40 }, (_, i) => 1 + i * 0.73);
  const earlyMs = await Promise.all(
    delaysMs.map(
      (delayMs) =>
        new Promise<number>((resolve) => {
          const startMs = systemClock.monotonicMs();
          systemClock.after(delayMs, () => resolve(startMs + delayMs - systemClock.monotonicMs()));
          // The timers do not keep the test's process alive.
          setTimeout(() => {}, delayMs + 100);
        }),
    ),
  );
  assert.deepEqual(
    earlyMs.filter((early) => early > 0),
    [],
  );
});

test("a timer of no or negative delay fires soon, a cancelled one never", async () => {
  const fired: string[] = [];
  systemClock.after(-5, () => fired.push("negative"));
  systemClock.after(0, () => fired.push("zero"));
  systemClock.after(1, () => fired.push("cancelled")).cancel();
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.deepEqual(fired.sort(), ["negative", "zero"]);
});
