import { type HttpClientConfig, httpClientConfig, url } from "../http/index.ts";
import { quoteGo } from "../model/index.ts";
import {
  anything,
  type Codec,
  durationMs,
  failAt,
  field,
  filePath,
  inline,
  integer,
  list,
  mapped,
  type Mapping,
  object,
  type Part,
  text,
} from "../codec/index.ts";
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

export interface HttpConfig {
  readonly mechanism: "http";
  readonly url: string;
  readonly refreshIntervalMs: number;
  readonly httpClient: HttpClientConfig;
}

export type DnsRecordType = "SRV" | "A" | "AAAA" | "MX" | "NS";

export interface DnsConfig {
  readonly mechanism: "dns";
  readonly names: string[];
  readonly type: DnsRecordType;
  /** Unused with SRV, whose records have ports of their own. */
  readonly port: number;
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

export type DiscoveryConfig = StaticConfig | FileConfig | HttpConfig | DnsConfig | UnsupportedConfig;

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

const httpConfig: Codec<HttpConfig> = object(
  "http.plain",
  {
    url: field("url", url, ""),
    refreshIntervalMs: field("refresh_interval", durationMs, 60_000),
    httpClient: inline(httpClientConfig),
  },
  (value, mapping): HttpConfig => {
    const at = mapping.place("url");
    const [, scheme, rest] = /^([^:/]*):(.*)$/s.exec(value.url) ?? [];
    if (value.url === "") at.fail("URL is missing");
    if (scheme !== "http" && scheme !== "https") at.fail("URL scheme must be 'http' or 'https'");
    if (!/^\/\/[^/?#]/.test(rest!)) at.fail("host is missing in URL");
    return { mechanism: "http", ...value };
  },
);

const recordTypes: readonly DnsRecordType[] = ["SRV", "A", "AAAA", "MX", "NS"];

const dnsConfig: Codec<DnsConfig> = object(
  "dns.plain",
  {
    names: field("names", list(text), []),
    type: field(
      "type",
      mapped(text, recordType, (type) => type),
      "SRV",
    ),
    port: field("port", integer("uint"), 0),
    refreshIntervalMs: field("refresh_interval", durationMs, 30_000),
  },
  (value, mapping): DnsConfig => {
    if (value.names.length === 0)
      mapping.place("names").fail("DNS-SD config must contain at least one SRV record name");
    if (value.type !== "SRV" && value.port === 0) {
      mapping.at.fail("a port is required in DNS-SD configs for all record types except SRV");
    }
    return { mechanism: "dns", ...value };
  },
);

function recordType(name: string): DnsRecordType {
  const type = recordTypes.find((each) => each === name.toUpperCase());
  if (type === undefined) throw new Error(`invalid DNS-SD records type ${name}`);
  return type;
}

/** Mechanisms that run, static apart, by the name in their key. */
const supported = { file: fileConfig, http: httpConfig, dns: dnsConfig } as const;

/** Upstream's mechanisms that have no code here yet. */
const unsupportedNames = [
  "aws",
  "azure",
  "consul",
  "digitalocean",
  "docker",
  "dockerswarm",
  "ec2",
  "ecs",
  "elasticache",
  "eureka",
  "gce",
  "hetzner",
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
const keyOf = (name: string): string => `${name}_sd_configs`;
const staticGroups = list(targetGroup, `empty or null section in ${staticKey}`);

/** `static_configs` and all `…_sd_configs` of a scrape config or an Alertmanager. Static groups come last, as one config. */
export const discoveryConfigs: Part<DiscoveryConfig[]> = {
  keys: [staticKey, ...Object.keys(supported).map(keyOf), ...unsupportedNames.map(keyOf)],
  decode(mapping) {
    const configs: DiscoveryConfig[] = [];
    for (const [name, codec] of Object.entries(supported)) {
      const at = mapping.get(keyOf(name));
      if (at)
        configs.push(...list<DiscoveryConfig>(codec, `empty or null section in ${keyOf(name)}`).decode(at));
    }
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
      else if (config.mechanism === "unsupported")
        append(into, keyOf(config.name), anything.encode(config.section));
      else
        append(
          into,
          keyOf(config.mechanism),
          (supported[config.mechanism] as Codec<DiscoveryConfig>).encode(config),
        );
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
