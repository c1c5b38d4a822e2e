import type { Hono } from "hono";
import { successResponse } from "../../http/index.ts";
import type { Lifecycle, StatusView } from "../parts.ts";

export interface NotificationRoutesOptions {
  status: Pick<StatusView, "refusedConfigMs">;
  lifecycle: Pick<Lifecycle, "isReady" | "isStopping">;
  nowMs: () => number;
}

/** `notifications`: what whoever looks at the server should know, in upstream's words. */
export function addNotificationRoutes(api: Hono, options: NotificationRoutesOptions): void {
  api.get("/notifications", () => {
    const notifications = activeNotifications(options);
    return successResponse(
      notifications.map(([text, atMs]) => ({ text, date: new Date(atMs).toISOString(), active: true })),
    );
  });
  // No content: how upstream sends those away whom it has no stream for. They ask the list instead.
  api.get("/notifications/live", (c) => c.body(null, 204));
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
