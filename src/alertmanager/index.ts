/**
 * Alertmanager: takes alerts in and tells people, once and together.
 *
 * An alert goes this way:
 *
 *   api/            POST /api/v2/alerts, or `putAlerts` from the same process
 *     ↓ alert.ts    checked, completed (times, fingerprint)
 *   alert-provider  kept in memory, merged with earlier reports of the same alert; each change goes to those who listen
 *     ↓ route.ts    the routing tree says which routes it ends at
 *   dispatcher      joins a group per route and group labels, which is flushed after group_wait and then each group_interval
 *     ↓
 *   notify/pipeline of each flush: without what is inhibited (inhibitor.ts), not at muted times (time-interval.ts), without what is
 *     ↓             silenced (silence/), and only if the log (notification-log.ts) knows of no equal notification (notify/deduplicate)
 *   notify/integration   sends, again and again if need be, through
 *     ↓
 *   receiver/       email, or one of the kinds that HTTP requests tell (receiver/delivery); texts come from notify/templates over notify/data
 *
 * Alerts live in memory only: their senders repeat them. Silences and the notification log are written to upstream's own files
 * `silences` and `nflog`. A configuration (config/) is read as a whole; a reload prepares everything of the new one before it replaces
 * anything of the old, and groups are built anew from the provider's alerts. cluster.ts is where other nodes come in.
 */
export type { PostableAlert } from "./alert.ts";
export {
  type Alertmanager,
  type AlertmanagerOptions,
  type ConfigSource,
  createAlertmanager,
} from "./alertmanager.ts";
export type { BuildInfo } from "./api/backend.ts";
export { type Cluster, type ClusterPeer, type ClusterStatus, singleNode } from "./cluster.ts";
export { type Config, parseConfig } from "./config/config.ts";
export {
  alertmanagerFlags,
  type AlertmanagerSettings,
  defaultSettings,
  ignoredAlertmanagerFlags,
  readAlertmanagerSettings,
} from "./flags.ts";
export { type MatcherMode, MatcherParser } from "./matcher/index.ts";
