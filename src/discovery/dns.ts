import { Resolver } from "node:dns/promises";
import { type Disk, errorMessage } from "../base/index.ts";
import { Labels } from "../model/index.ts";
import type { DnsConfig, DnsRecordType } from "./config.ts";
import type { Discoverer } from "./discoverer.ts";
import { createRefreshingDiscoverer, type RefreshOptions } from "./refresh.ts";
import { addressLabel, type TargetGroup } from "./target-group.ts";

const resolverFile = "/etc/resolv.conf";

/** A record as far as targets need it; SRV has a port of its own. */
export interface DnsRecord {
  readonly host: string;
  readonly port?: number;
}

/** The records of one absolute name; empty when there is no such name or it has none of this type. Throws when nobody answers. */
export type LookUp = (name: string, type: DnsRecordType) => Promise<DnsRecord[]>;

/** Targets from the records of domain names. A name that cannot be looked up keeps the targets it had. */
export function createDnsDiscoverer(
  config: DnsConfig,
  options: Omit<RefreshOptions, "intervalMs"> & { disk: Disk; lookUp?: LookUp },
): Discoverer {
  const lookUp = options.lookUp ?? lookUpWith(new Resolver());
  const lastGood = new Map<string, TargetGroup>();
  const refreshName = async (name: string): Promise<TargetGroup | undefined> => {
    options.metrics.dnsLookups.inc();
    try {
      const records = await searchRecords(name, config.type, options.disk, lookUp);
      lastGood.set(name, toGroup(name, config, records));
    } catch (error) {
      options.metrics.dnsFailures.inc();
      options.logger.error("Error refreshing DNS targets", { name, err: errorMessage(error) });
    }
    return lastGood.get(name);
  };
  return createRefreshingDiscoverer({ ...options, intervalMs: config.refreshIntervalMs }, async () => {
    const groups = await Promise.all(config.names.map(refreshName));
    return groups.filter((group) => group !== undefined);
  });
}

function toGroup(name: string, { type, port }: DnsConfig, records: readonly DnsRecord[]): TargetGroup {
  const targets = records.map((record) => {
    const host = record.host.replace(/\.$/, "");
    const targetPort = record.port ?? port;
    return Labels.from({
      [addressLabel]: `${host.includes(":") ? `[${host}]` : host}:${targetPort}`,
      __meta_dns_name: name,
      __meta_dns_srv_record_target: type === "SRV" ? `${host}.` : "",
      __meta_dns_srv_record_port: type === "SRV" ? String(targetPort) : "",
      __meta_dns_mx_record_target: type === "MX" ? `${host}.` : "",
      __meta_dns_ns_record_target: type === "NS" ? `${host}.` : "",
    });
  });
  return { source: name, targets, labels: Labels.empty };
}

/** Tries the names that resolv.conf makes of one that is not absolute, until one has records. */
async function searchRecords(
  name: string,
  type: DnsRecordType,
  disk: Disk,
  lookUp: LookUp,
): Promise<DnsRecord[]> {
  let failure: unknown;
  for (const candidate of searchNames(name, disk)) {
    try {
      const records = await lookUp(candidate, type);
      if (records.length > 0) return records;
    } catch (error) {
      failure ??= error;
    }
  }
  if (failure !== undefined) throw failure;
  return [];
}

function searchNames(name: string, disk: Disk): string[] {
  if (name.endsWith(".")) return [name.slice(0, -1)];
  const { domains, dotsMin } = readResolverFile(disk);
  const longer = domains.map((domain) => (domain === "." ? name : `${name}.${domain.replace(/\.$/, "")}`));
  return name.split(".").length - 1 >= dotsMin ? [name, ...longer] : [...longer, name];
}

function readResolverFile(disk: Disk): { domains: string[]; dotsMin: number } {
  let domains: string[] = [];
  let dotsMin = 1;
  let text = "";
  try {
    text = Buffer.from(disk.readFile(resolverFile)).toString("utf8");
  } catch {
    // No file, no domains.
  }
  for (const line of text.split("\n")) {
    const [keyword, ...words] = line.trim().split(/\s+/);
    if (keyword === "search" || keyword === "domain") domains = words;
    const dots = keyword === "options" ? words.find((word) => word.startsWith("ndots:")) : undefined;
    if (dots !== undefined) dotsMin = Math.min(15, Number(dots.slice(6)) || 1);
  }
  return { domains, dotsMin };
}

function lookUpWith(resolver: Resolver): LookUp {
  return async (name, type) => {
    try {
      switch (type) {
        case "SRV":
          return (await resolver.resolveSrv(name)).map(({ name: host, port }) => ({ host, port }));
        case "MX":
          return (await resolver.resolveMx(name)).map(({ exchange }) => ({ host: exchange }));
        case "NS":
          return (await resolver.resolveNs(name)).map((host) => ({ host }));
        case "A":
          return (await resolver.resolve4(name)).map((host) => ({ host }));
        case "AAAA":
          return (await resolver.resolve6(name)).map((host) => ({ host }));
      }
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "ENOTFOUND" || code === "ENODATA") return [];
      throw error;
    }
  };
}
