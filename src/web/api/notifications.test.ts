import assert from "node:assert/strict";
import { test } from "node:test";
import { Registry } from "@narthex/client";
import { Hono } from "hono";
import { SimulatedClock } from "../../base/index.ts";
import { addNotificationRoutes } from "./notifications.ts";

test("what one should know is listed while it holds", async () => {
  let [refusedMs, isReady, isStopping]: [number | undefined, boolean, boolean] = [undefined, true, false];
  const app = new Hono();
  addNotificationRoutes(app, {
    registry: new Registry(),
    notificationSubscribersMax: 0,
    status: { refusedConfigMs: () => refusedMs },
    lifecycle: { isReady: () => isReady, isStopping: () => isStopping },
    nowMs: () => 2000,
  });
  const listed = async (): Promise<unknown> => {
    const response = await app.request("/notifications");
    return ((await response.json()) as { data: unknown }).data;
  };
  assert.deepEqual(await listed(), []);
  refusedMs = 1000;
  const refusal = {
    text: "Configuration reload has failed.",
    date: "1970-01-01T00:00:01.000Z",
    active: true,
  };
  assert.deepEqual(await listed(), [refusal]);
  isReady = false;
  const starting = {
    text: "Narthex is starting and replaying the write-ahead log (WAL).",
    date: "1970-01-01T00:00:02.000Z",
    active: true,
  };
  assert.deepEqual(await listed(), [refusal, starting]);
  isStopping = true;
  refusedMs = undefined;
  assert.match(JSON.stringify(await listed()), /^\[\{"text":"Narthex is shutting down[^{]*$/);
  assert.equal((await app.request("/notifications/live")).status, 204);
});

test("who listens is told what begins and ends, until the server does", async () => {
  let [refusedMs, isStopping]: [number | undefined, boolean] = [1000, false];
  const app = new Hono();
  const registry = new Registry();
  const clock = new SimulatedClock();
  addNotificationRoutes(app, {
    registry,
    notificationSubscribersMax: 2,
    clock,
    status: { refusedConfigMs: () => refusedMs },
    lifecycle: { isReady: () => true, isStopping: () => isStopping },
    nowMs: () => 2000,
  });
  const listen = async (): Promise<() => Promise<string | undefined>> => {
    const response = await app.request("/notifications/live");
    assert.equal(response.headers.get("content-type"), "text/event-stream");
    const reader = response.body!.getReader();
    assert.equal(Buffer.from((await reader.read()).value as Uint8Array).toString(), ":\n\n");
    return async () => {
      const { value } = await reader.read();
      return value && Buffer.from(value as Uint8Array).toString();
    };
  };
  const refusal = { text: "Configuration reload has failed.", date: "1970-01-01T00:00:01.000Z" };
  const event = (one: object): string => `data: ${JSON.stringify(one)}\n\n`;
  const read = await listen();
  assert.equal(await read(), event({ ...refusal, active: true }));
  await listen();
  assert.equal((await app.request("/notifications/live")).status, 204);
  assert.match(registry.expose(), /^prometheus_api_notification_active_subscribers 2$/m);
  await clock.advance(5000);
  refusedMs = undefined;
  await clock.advance(1000);
  assert.equal(await read(), event({ ...refusal, active: false }));
  isStopping = true;
  await clock.advance(1000);
  assert.match((await read())!, /^data: \{"text":"Narthex is shutting down/);
  assert.equal(await read(), undefined);
  assert.match(registry.expose(), /^prometheus_api_notification_active_subscribers 0$/m);
  assert.match(registry.expose(), /^prometheus_api_notification_updates_sent_total 6$/m);
});
