import { addressLabel, type TargetGroup } from "../discovery/index.ts";
import { LabelsBuilder } from "../model/index.ts";
import { relabelBuilder } from "../codec/index.ts";
import type { AlertmanagerConfig } from "./config.ts";

const schemeLabel = "__scheme__";
const pathLabel = "__alerts_path__";

export interface Endpoints {
  /** URLs to post alerts to, each once. */
  active: string[];
  /** URLs that relabelling took away. */
  dropped: string[];
  /** What is wrong with targets that are neither. */
  problems: string[];
}

/** Where the Alertmanagers among the discovered targets take alerts. */
export function endpointsOf(groups: readonly TargetGroup[], config: AlertmanagerConfig): Endpoints {
  const active = new Set<string>();
  const dropped: string[] = [];
  const problems: string[] = [];
  for (const { targets, labels } of groups) {
    for (const target of targets) {
      const builder = new LabelsBuilder()
        .set(schemeLabel, config.scheme)
        .set(pathLabel, alertsPath(config.pathPrefix));
      for (const [name, value] of labels) builder.set(name, value);
      for (const [name, value] of target) builder.set(name, value);
      const before = urlOf(builder);
      if (!relabelBuilder(builder, config.relabelConfigs)) {
        dropped.push(before);
        continue;
      }
      const address = builder.get(addressLabel);
      if (isAddress(address)) active.add(urlOf(builder));
      else problems.push(`${JSON.stringify(address)} is not a valid hostname`);
    }
  }
  return { active: [...active], dropped, problems };
}

function alertsPath(prefix: string): string {
  return `/${prefix}/api/v2/alerts`.replace(/\/{2,}/g, "/");
}

function urlOf(builder: LabelsBuilder): string {
  return `${builder.get(schemeLabel)}://${builder.get(addressLabel)}${builder.get(pathLabel)}`;
}

function isAddress(address: string): boolean {
  return address !== "" && !/[/\s]/.test(address) && URL.canParse(`http://${address}`);
}
