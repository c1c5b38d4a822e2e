/** What the API needs of Alertmanager. It stays the same over reloads; what it gives is what is in force. */
import type { Labels } from "../../model/index.ts";
import type { Alert, PostableAlert } from "../alert.ts";
import type { Cluster } from "../cluster.ts";
import type { Group } from "../dispatcher.ts";
import type { MatcherParser } from "../matcher/index.ts";
import type { Silences } from "../silence/silences.ts";

export interface BuildInfo {
  readonly version: string;
  readonly revision: string;
  readonly branch: string;
  readonly buildUser: string;
  readonly buildDate: string;
  readonly goVersion: string;
}

export interface Backend {
  readonly parser: MatcherParser;
  readonly silences: Silences;
  readonly cluster: Cluster;
  readonly build: BuildInfo;
  readonly startMs: number;
  nowMs(): number;
  /** Takes in alerts. Throws `bad_data` with what is wrong with some of them, after it has stored the others. */
  receive(alerts: readonly PostableAlert[]): void;
  alerts(): Iterable<Alert>;
  groups(): readonly { group: Group; alerts: readonly Alert[] }[];
  /** Time intervals that hold the group back. */
  groupMutedBy(group: Group): readonly string[];
  groupRouteLabels(group: Group, alerts: readonly Alert[]): ReadonlyMap<string, string>;
  /** Fingerprint of the alert that inhibits one with these labels. */
  inhibiting(labels: Labels): string | undefined;
  receivers(): readonly { name: string; labels: ReadonlyMap<string, string> }[];
  receiverLabels(name: string): ReadonlyMap<string, string> | undefined;
  /** Names of the receivers to which an alert with these labels is routed. */
  receiversOf(labels: Labels): readonly string[];
  /** The configuration in force, secrets masked. */
  configYaml(): string;
  reload(): Promise<void>;
}
