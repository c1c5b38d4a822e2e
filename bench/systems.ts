import { existsSync } from "node:fs";
import { join } from "node:path";

/** A server under test: how it is started on a configuration, a data directory and a port. */
export interface System {
  name: string;
  command: string;
  args(configFile: string, dataDirectory: string, port: number): string[];
  readyPath: string;
  /** Whether it is Prometheus to the last digit: opens its blocks, reads its rule files, answers alike. */
  isPrometheus: boolean;
}

const root = join(import.meta.dirname, "..");

/**
 * The systems that are on this machine; Narthex first, with XOR2 chunks only when `only` names it so. A missing peer is named on standard error and left out. `blockHours` is what Prometheus' kind
 * cuts from its head at once: samples may be half as old.
 */
export function findSystems(only: string | undefined, blockHours: number): System[] {
  const blockFlags = ["--web.enable-admin-api", `--storage.tsdb.min-block-duration=${blockHours}h`];
  const narthex = (name: string, ...flags: string[]): System => ({
    name,
    command: join(root, "bin/narthex"),
    args: (config, data, port) => [
      "server",
      `--config.file=${config}`,
      `--storage.tsdb.path=${data}`,
      `--web.listen-address=127.0.0.1:${port}`,
      ...blockFlags,
      ...flags,
    ],
    readyPath: "/-/ready",
    isPrometheus: true,
  });
  const withXor2 = "Narthex-XOR2";
  const all: System[] = [
    narthex("Narthex"),
    narthex(withXor2, "--enable-feature=xor2-encoding"),
    {
      name: "Prometheus",
      command: process.env["PROMETHEUS_BIN"] ?? "/usr/bin/prometheus",
      args: (config, data, port) => [
        `--config.file=${config}`,
        `--storage.tsdb.path=${data}`,
        `--web.listen-address=127.0.0.1:${port}`,
        ...blockFlags,
      ],
      readyPath: "/-/ready",
      isPrometheus: true,
    },
    {
      name: "VictoriaMetrics",
      command: process.env["VICTORIA_METRICS_BIN"] ?? "/usr/bin/victoria-metrics",
      args: (config, data, port) => [
        `-promscrape.config=${config}`,
        "-promscrape.config.strictParse=false",
        `-storageDataPath=${data}`,
        `-httpListenAddr=127.0.0.1:${port}`,
        "-search.latencyOffset=0s",
        "-search.maxUniqueTimeseries=2000000",
        "-search.disableCache=true",
      ],
      readyPath: "/health",
      isPrometheus: false,
    },
  ];
  return all.filter((system) => {
    const isNamed = only?.split(",").includes(system.name.toLowerCase());
    if (!(isNamed ?? system.name !== withXor2)) return false;
    if (existsSync(system.command)) return true;
    process.stderr.write(`${system.name} left out: no ${system.command}\n`);
    return false;
  });
}
