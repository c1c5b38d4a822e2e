import type { Registry } from "@narthex/client";
import type { Hono } from "hono";
import type { Clock } from "../../base/index.ts";
import { successResponse } from "../../http/index.ts";
import { type Notification, NotificationStream } from "./notification-stream.ts";
import type { Lifecycle, StatusView } from "../parts.ts";

export interface NotificationRoutesOptions {
  registry: Registry;
  /** Most who may listen at a time. */
  notificationSubscribersMax: number;
  clock?: Clock;
  status: Pick<StatusView, "refusedConfigMs">;
  lifecycle: Pick<Lifecycle, "isReady" | "isStopping">;
  nowMs: () => number;
}

/** `notifications`: what whoever looks at the server should know, in upstream's words, as a list and as a stream. */
export function addNotificationRoutes(api: Hono, options: NotificationRoutesOptions): void {
  const active = (): Notification[] =>
    activeNotifications(options).map(([text, atMs]) => ({
      text,
      date: new Date(atMs).toISOString(),
      active: true,
    }));
  const stream = new NotificationStream({
    active,
    isStopping: options.lifecycle.isStopping,
    subscribersMax: options.notificationSubscribersMax,
    registry: options.registry,
    ...(options.clock && { clock: options.clock }),
  });
  api.get("/notifications", () => successResponse(active()));
  api.get("/notifications/live", (c) => {
    const body = stream.subscribe();
    // No content: upstream sends those away like this for whom there is no place. They ask the list instead.
    if (body === undefined) return c.body(null, 204);
    return c.body(body, 200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
  });
}

function activeNotifications(options: NotificationRoutesOptions): [text: string, atMs: number][] {
  const { status, lifecycle, nowMs } = options;
  const refusedMs = status.refusedConfigMs();
  const notifications: [string, number][] = [];
  if (refusedMs !== undefined) notifications.push(["Configuration reload has failed.", refusedMs]);
  if (lifecycle.isStopping())
    notifications.push(["Narthex is shutting down and gracefully stopping all operations.", nowMs()]);
  else if (!lifecycle.isReady())
    notifications.push(["Narthex is starting and replaying the write-ahead log (WAL).", nowMs()]);
  return notifications;
}
