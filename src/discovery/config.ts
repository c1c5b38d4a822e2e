import {
  anything,
  type Codec,
  durationMs,
  failAt,
  field,
  filePath,
  list,
  type Mapping,
  object,
  type Part,
  quoteGo,
} from "../model/index.ts";
import { addressLabel, type TargetGroup, targetGroup } from "./target-group.ts";

export interface StaticConfig {
  readonly mechanism: "static";
  readonly groups: readonly TargetGroup[];
}

export interface FileConfig {
  readonly mechanism: "file";
  readonly files: string[];
  readonly refreshIntervalMs: number;
}

/** A section of a mechanism that Narthex knows of and cannot run yet. It is kept to be printed. */
export interface UnsupportedConfig {
  readonly mechanism: "unsupported";
  /** `kubernetes`, `consul` … */
  readonly name: string;
  readonly section: unknown;
  /** `file:line:col`. */
  readonly place: string;
}

export type DiscoveryConfig = StaticConfig | FileConfig | UnsupportedConfig;

const fileName = /^[^*]*(?:\*[^/]*)?\.(?:json|yml|yaml|JSON|YML|YAML)$/;

const fileConfig: Codec<FileConfig> = object(
  "file.plain",
  {
    files: field("files", list(filePath), []),
    refreshIntervalMs: field("refresh_interval", durationMs, 300_000),
  },
  (value, mapping): FileConfig => {
    if (value.files.length === 0) {
      mapping.place("files").fail("file service discovery config must contain at least one path name");
    }
    const wrong = value.files.find((file) => !fileName.test(file));
    if (wrong !== undefined) {
      mapping.place("files").fail(`path name ${quoteGo(wrong)} is not valid for file discovery`);
    }
    return { mechanism: "file", ...value };
  },
);

/** Upstream's mechanisms that have no code here yet. */
const unsupportedNames = [
  "aws",
  "azure",
  "consul",
  "digitalocean",
  "dns",
  "docker",
  "dockerswarm",
  "ec2",
  "ecs",
  "elasticache",
  "eureka",
  "gce",
  "hetzner",
  "http",
  "ionos",
  "kubernetes",
  "kuma",
  "lightsail",
  "linode",
  "marathon",
  "msk",
  "nerve",
  "nomad",
  "oci",
  "openstack",
  "outscale",
  "ovhcloud",
  "puppetdb",
  "rds",
  "scaleway",
  "serverset",
  "stackit",
  "triton",
  "uyuni",
  "vultr",
] as const;

const staticKey = "static_configs";
const fileKey = "file_sd_configs";
const keyOf = (name: string): string => `${name}_sd_configs`;
const staticGroups = list(targetGroup, `empty or null section in ${staticKey}`);

/** `static_configs` and all `…_sd_configs` of a scrape config or an Alertmanager. Static groups come last, as one config. */
export const discoveryConfigs: Part<DiscoveryConfig[]> = {
  keys: [staticKey, fileKey, ...unsupportedNames.map(keyOf)],
  decode(mapping) {
    const files = mapping.get(fileKey);
    const configs: DiscoveryConfig[] = files
      ? list(fileConfig, `empty or null section in ${fileKey}`).decode(files)
      : [];
    for (const name of unsupportedNames) configs.push(...decodeUnsupported(name, mapping));
    const at = mapping.get(staticKey);
    const groups = at ? staticGroups.decode(at).map((group, i) => numbered(group, i)) : [];
    if (groups.length > 0) configs.push({ mechanism: "static", groups });
    return configs;
  },
  encode(configs, into) {
    for (const config of configs) {
      if (config.mechanism === "static")
        into[staticKey] = config.groups.map((group) => targetGroup.encode(group));
      else if (config.mechanism === "file") append(into, fileKey, fileConfig.encode(config));
      else append(into, keyOf(config.name), anything.encode(config.section));
    }
  },
};

function numbered(group: TargetGroup, index: number): TargetGroup {
  return Object.assign(group, { source: String(index) });
}

function append(into: Record<string, unknown>, key: string, value: unknown): void {
  into[key] = [...((into[key] as unknown[] | undefined) ?? []), value];
}

function decodeUnsupported(name: string, mapping: Mapping): UnsupportedConfig[] {
  const key = keyOf(name);
  const at = mapping.get(key);
  if (!at) return [];
  return (at.items() ?? at.fail(`cannot unmarshal ${at.describe()} into a list`)).map((item) => {
    if (item.isNull()) item.fail(`empty or null section in ${key}`);
    return { mechanism: "unsupported", name, section: anything.decode(item), place: item.toString() };
  });
}

/** Refuses URLs where addresses belong; for configurations whose relabelling could not mend them. */
export function checkStaticTargets(configs: readonly DiscoveryConfig[]): void {
  for (const config of configs) {
    if (config.mechanism !== "static") continue;
    for (const group of config.groups) {
      for (const target of group.targets) {
        const address = target.get(addressLabel);
        if (address.includes("/")) failAt(group, `${quoteGo(address)} is not a valid hostname`);
      }
    }
  }
}
