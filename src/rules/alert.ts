import type { Labels } from "../model/index.ts";

export type AlertState = "inactive" | "pending" | "firing";

/** One element for which an alerting rule's condition holds, or held until lately. Times in milliseconds since the epoch. */
export interface Alert {
  state: AlertState;
  readonly labels: Labels;
  annotations: Labels;
  /** The expression's value at the last evaluation. */
  value: number;
  activeAtMs: number;
  firedAtMs?: number;
  resolvedAtMs?: number;
  lastSentAtMs?: number;
  /** An Alertmanager that hears nothing more takes the alert for resolved from here on. */
  validUntilMs?: number;
  keepFiringSinceMs?: number;
}

/** An alert on its way to the Alertmanagers. */
export interface OutgoingAlert {
  labels: Labels;
  annotations: Labels;
  startsAtMs: number;
  endsAtMs: number;
  generatorUrl: string;
}

/** Whether Alertmanagers should hear of the alert at `nowMs`: at changes at once, then every `resendDelayMs`. */
export function needsSending(alert: Alert, nowMs: number, resendDelayMs: number): boolean {
  if (alert.state === "pending") return false;
  if (alert.lastSentAtMs === undefined) return true;
  if (alert.resolvedAtMs !== undefined && alert.resolvedAtMs > alert.lastSentAtMs) return true;
  return alert.lastSentAtMs + resendDelayMs < nowMs;
}
