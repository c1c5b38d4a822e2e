import { NarthexError } from "../base/index.ts";
import type { HttpClient } from "../http/index.ts";
import type { OutgoingAlert } from "../rules/index.ts";

/** Hands alerts over to one Alertmanager. Rejects with a NarthexError when it did not take them. */
export type Deliver = (alerts: readonly OutgoingAlert[]) => Promise<void>;

/** Delivers to an Alertmanager's API v2 at `url`. Any status from 200 to 299 is success. */
export function httpDelivery(client: HttpClient, url: string, timeoutMs: number): Deliver {
  return async (alerts) => {
    const { status, statusText } = await client.request({
      method: "POST",
      url,
      headers: ["content-type", "application/json"],
      body: encodeAlerts(alerts),
      timeoutMs,
    });
    if (status >= 200 && status <= 299) return;
    throw new NarthexError("unavailable", `bad response status ${status} ${statusText}`);
  };
}

/** The body of `POST /api/v2/alerts`. */
export function encodeAlerts(alerts: readonly OutgoingAlert[]): string {
  return JSON.stringify(
    alerts.map((alert) => ({
      annotations: alert.annotations,
      endsAt: new Date(alert.endsAtMs).toISOString(),
      startsAt: new Date(alert.startsAtMs).toISOString(),
      generatorURL: alert.generatorUrl,
      labels: alert.labels,
    })),
  );
}
