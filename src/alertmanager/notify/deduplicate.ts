/** Decides whether a group has news for a receiver, by what the receiver was told last. */
import { type Alert, isResolvedAt } from "../alert.ts";
import type { NotificationEntry } from "../notification-log.ts";
import { xxhash64 } from "../xxhash64.ts";

export type NotificationReason =
  | "none"
  | "first notification"
  | "new alerts added"
  | "some alerts resolved"
  | "all alerts resolved"
  | "repeat interval elapsed"
  | "unknown";

/** The alerts of a notification as the log remembers them. */
export interface AlertHashes {
  readonly firing: ReadonlySet<bigint>;
  readonly resolved: ReadonlySet<bigint>;
}

const hashes = new WeakMap<Alert["labels"], bigint>();

function hashOf(alert: Alert): bigint {
  let hash = hashes.get(alert.labels);
  if (hash === undefined) {
    const parts = alert.labels.pairs.flatMap((part) => [Buffer.from(part), Buffer.of(0xff)]);
    hash = xxhash64(Buffer.concat(parts));
    hashes.set(alert.labels, hash);
  }
  return hash;
}

export function hashAlerts(alerts: readonly Alert[], timeMs: number): AlertHashes {
  const firing = new Set<bigint>();
  const resolved = new Set<bigint>();
  for (const alert of alerts) (isResolvedAt(alert, timeMs) ? resolved : firing).add(hashOf(alert));
  return { firing, resolved };
}

/** Why the receiver should be told, or "none". */
export function notificationReason(
  last: NotificationEntry | undefined,
  { firing, resolved }: AlertHashes,
  sendResolved: boolean,
  repeatIntervalMs: number,
  timeMs: number,
): NotificationReason {
  if (last === undefined) return firing.size > 0 ? "first notification" : "none";
  if (!firing.isSubsetOf(last.firing)) {
    return last.firing.size === 0 ? "first notification" : "new alerts added";
  }
  // Whether or not the receiver wants to hear of it: the log must know that nothing fires any more.
  if (firing.size === 0) return last.firing.size > 0 ? "all alerts resolved" : "none";
  if (sendResolved && !resolved.isSubsetOf(last.resolved)) return "some alerts resolved";
  return last.timestampMs < timeMs - repeatIntervalMs ? "repeat interval elapsed" : "none";
}
