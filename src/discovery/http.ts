import { NarthexError } from "../base/index.ts";
import { createHttpClient } from "../http/index.ts";
import { quoteGo } from "../model/index.ts";
import type { HttpConfig } from "./config.ts";
import type { Discoverer } from "./discoverer.ts";
import { createRefreshingDiscoverer, type RefreshOptions, withLabel } from "./refresh.ts";
import { parseTargetGroups, type TargetGroup } from "./target-group.ts";

/** An answer larger than this is refused. */
const bodyBytesMax = 64 * 1024 * 1024;
const jsonType = /^application\/json(?:\s*;\s*charset=("?)utf-8\1)?$/i;

/** Target groups that a URL answers with as JSON. */
export function createHttpDiscoverer(
  config: HttpConfig,
  options: Omit<RefreshOptions, "intervalMs">,
  userAgent: string,
): Discoverer {
  const intervalMs = config.refreshIntervalMs;
  const client = createHttpClient(config.httpClient, { userAgent, clock: options.clock });
  const headers = [
    "accept",
    "application/json",
    "x-prometheus-refresh-interval-seconds",
    String(intervalMs / 1000),
  ];
  const refresh = async (signal: AbortSignal): Promise<TargetGroup[]> => {
    try {
      const response = await client.request({
        url: config.url,
        headers,
        timeoutMs: intervalMs,
        signal,
        bodyBytesMax,
      });
      if (response.status !== 200) {
        throw new NarthexError(
          "unavailable",
          `server returned HTTP status ${response.status} ${response.statusText}`.trim(),
        );
      }
      const type = (response.headers["content-type"] ?? "").trim();
      if (!jsonType.test(type))
        throw new NarthexError("bad_data", `unsupported content type ${quoteGo(type)}`);
      return decodeGroups(config.url, Buffer.from(response.body).toString("utf8"));
    } catch (error) {
      options.metrics.httpFailures.inc();
      throw error;
    }
  };
  const inner = createRefreshingDiscoverer({ ...options, intervalMs }, refresh);
  return {
    async run(publish, signal) {
      try {
        await inner.run(publish, signal);
      } finally {
        await client.close();
      }
    },
  };
}

function decodeGroups(url: string, body: string): TargetGroup[] {
  return parseTargetGroups(body, url).map((group, i) => ({
    source: `${url}:${i}`,
    targets: group.targets,
    labels: withLabel(group.labels, "__meta_url", url),
  }));
}
