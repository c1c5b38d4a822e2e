import assert from "node:assert/strict";
import { test } from "node:test";
import { SimulatedClock } from "../../base/index.ts";
import { Turns } from "./turns.ts";

const never = new AbortController().signal;

test("turns are taken in the order in which queries come", async () => {
  const clock = new SimulatedClock();
  const turns = new Turns(1, clock);
  const order: number[] = [];
  await turns.take(1000, never);
  const waiting = [1, 2, 3].map(async (number) => {
    await turns.take(1000, never);
    order.push(number);
    turns.end();
  });
  turns.end();
  await Promise.all(waiting);
  assert.deepEqual(order, [1, 2, 3]);
});

test("a query leaves the queue at its deadline or with its client, and nobody's turn is lost", async () => {
  const clock = new SimulatedClock();
  const turns = new Turns(1, clock);
  await turns.take(1000, never);
  const late = turns.take(100, never);
  const abort = new AbortController();
  const gone = turns.take(1000, abort.signal);
  const patient = turns.take(1000, never);
  const failures = Promise.all([
    assert.rejects(late, { code: "timeout", message: "query timed out in query queue" }),
    assert.rejects(gone, { code: "canceled", message: "query was canceled in query queue" }),
  ]);
  abort.abort();
  await clock.advance(100);
  await failures;
  turns.end();
  await patient;
  await assert.rejects(turns.take(1000, abort.signal), { code: "canceled" });
});
