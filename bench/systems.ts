import { existsSync } from "node:fs";
import { join } from "node:path";

/** A server under test: how it is started on a configuration, a data directory and a port. */
export interface System {
  name: string;
  command: string;
  args(configFile: string, dataDirectory: string, port: number): string[];
  readyPath: string;
}

const root = join(import.meta.dirname, "..");

/** The systems that are on this machine; Narthex first. A missing peer is named on standard error and left out. */
export function findSystems(only?: string): System[] {
  const all: System[] = [
    {
      name: "Narthex",
      command: join(root, "bin/narthex"),
      args: (config, data, port) => [
        "server",
        `--config.file=${config}`,
        `--storage.tsdb.path=${data}`,
        `--web.listen-address=127.0.0.1:${port}`,
      ],
      readyPath: "/-/ready",
    },
    {
      name: "Prometheus",
      command: process.env["PROMETHEUS_BIN"] ?? "/usr/bin/prometheus",
      args: (config, data, port) => [
        `--config.file=${config}`,
        `--storage.tsdb.path=${data}`,
        `--web.listen-address=127.0.0.1:${port}`,
      ],
      readyPath: "/-/ready",
    },
    {
      name: "VictoriaMetrics",
      command: process.env["VICTORIA_METRICS_BIN"] ?? "/usr/bin/victoria-metrics",
      args: (config, data, port) => [
        `-promscrape.config=${config}`,
        `-storageDataPath=${data}`,
        `-httpListenAddr=127.0.0.1:${port}`,
        "-search.latencyOffset=0s",
        "-search.maxUniqueTimeseries=2000000",
        "-search.disableCache=true",
      ],
      readyPath: "/health",
    },
  ];
  return all.filter((system) => {
    if (only !== undefined && !only.split(",").includes(system.name.toLowerCase())) return false;
    if (existsSync(system.command)) return true;
    process.stderr.write(`${system.name} left out: no ${system.command}\n`);
    return false;
  });
}

export interface Query {
  name: string;
  expr: string;
}

/** Range queries over the last minute of data or so, `steps` steps of one second. */
export const rangeQueries: readonly Query[] = [
  { name: "sum of rates", expr: "sum(rate(http_requests_total[1m]))" },
  {
    name: "quantile over buckets",
    expr: "histogram_quantile(0.99, sum by (le, service) (rate(http_request_duration_seconds_bucket[1m])))",
  },
  { name: "count everything", expr: 'count({__name__=~".+"})' },
  { name: "division, large answer", expr: "rate(http_requests_total[1m]) / rate(http_requests_total[30s])" },
];

/** Two instant queries as a dashboard of single values sends them. */
export const instantQuery: Query = {
  name: "small instant query",
  expr: 'http_requests_total{instance="127.0.0.1:21007",handler="/api/v1/resource/7"}',
};
