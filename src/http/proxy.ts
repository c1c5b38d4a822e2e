import { BlockList, isIP } from "node:net";
import type { ProxyConfig } from "./config.ts";

/** The proxy for a request to `target`, or undefined to connect directly. */
export function proxyFor(
  config: ProxyConfig,
  target: URL,
  environment: NodeJS.ProcessEnv = process.env,
): string | undefined {
  if (!config.proxyFromEnvironment) {
    return config.proxyUrl === "" || bypasses(config.noProxy, target) ? undefined : config.proxyUrl;
  }
  const variable = (name: string): string => environment[name.toLowerCase()] ?? environment[name] ?? "";
  const { hostname } = target;
  if (hostname === "localhost" || hostname === "[::1]" || hostname.startsWith("127.")) return undefined;
  const proxy = variable(target.protocol === "https:" ? "HTTPS_PROXY" : "HTTP_PROXY");
  if (proxy === "" || bypasses(variable("NO_PROXY"), target)) return undefined;
  return proxy.includes("://") ? proxy : `http://${proxy}`;
}

/** Whether a `no_proxy` list (names with their subdomains, addresses, CIDR ranges, each with an optional port, or `*`) names the target. */
function bypasses(noProxy: string, target: URL): boolean {
  const host = target.hostname.replace(/^\[|\]$/g, "").toLowerCase();
  const port = target.port || (target.protocol === "https:" ? "443" : "80");
  return noProxy
    .split(",")
    .map((entry) => entry.trim().toLowerCase())
    .some((entry) => entry === "*" || (entry !== "" && matches(entry, host, port)));
}

function matches(entry: string, host: string, port: string): boolean {
  const family = isIP(host) === 6 ? "ipv6" : "ipv4";
  const range = /^([\da-f.:]+)\/(\d+)$/.exec(entry);
  if (range) {
    if (isIP(host) === 0 || isIP(range[1]!) === 0) return false;
    const list = new BlockList();
    list.addSubnet(range[1]!, Number(range[2]), isIP(range[1]!) === 6 ? "ipv6" : "ipv4");
    return list.check(host, family);
  }
  const withPort = /^(?:\[([^\]]+)\]|([^:]+)):(\d+)$/.exec(entry);
  if (withPort && withPort[3] !== port) return false;
  const name = withPort ? (withPort[1] ?? withPort[2]!) : entry.replace(/^\[|\]$/g, "");
  if (isIP(host) !== 0) return name === host;
  const domain = name.replace(/^\*?\./, "");
  return host.endsWith(`.${domain}`) || (host === domain && name === domain);
}
