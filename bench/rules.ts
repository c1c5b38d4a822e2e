import { writeFileSync } from "node:fs";
import { getBody } from "./client.ts";
import { cpuMs, sleep } from "./process.ts";

const groups = 20;
const rulesPerGroup = 50;
const intervalSeconds = 5;
const measuredMs = 30_000;

/** What evaluating 1,000 rules takes. */
export interface RuleRun {
  /** Of each evaluation, beyond what the server spends idle. */
  cpuMicroseconds: number;
  /** Of the slowest group. */
  groupSeconds: number;
  missed: number;
}

/** A rule file that has nothing in it yet, so that it can be reloaded later. */
export function writeNoRules(file: string): void {
  writeFileSync(file, "groups: []\n");
}

/** Gives a running server 1,000 recording rules and watches it evaluate them. */
export async function measureRules(
  server: { pid: number; port: number },
  file: string,
  idleCpuShare: number,
): Promise<RuleRun> {
  writeFileSync(file, ruleGroups());
  process.kill(server.pid, "SIGHUP");
  await sleep(3 * intervalSeconds * 1000);
  const before = await evaluations(server.port);
  const cpuBefore = cpuMs(server.pid);
  const beginMs = performance.now();
  await sleep(measuredMs);
  const cpu = cpuMs(server.pid) - cpuBefore - (performance.now() - beginMs) * idleCpuShare;
  const after = await evaluations(server.port);
  return {
    cpuMicroseconds: (Math.max(cpu, 0) * 1000) / (after.count - before.count),
    groupSeconds: after.groupSeconds,
    missed: after.missed - before.missed,
  };
}

function ruleGroups(): string {
  const lines = ["groups:"];
  for (let group = 0; group < groups; group++) {
    lines.push(`  - name: group${group}`, `    interval: ${intervalSeconds}s`, "    rules:");
    for (let i = 0; i < rulesPerGroup; i++) {
      const rule = group * rulesPerGroup + i;
      lines.push(`      - record: bench:rule_${rule}`, `        expr: '${expression(rule)}'`);
    }
  }
  return `${lines.join("\n")}\n`;
}

/** A rate by label, one value against a threshold, an average: what rule files are full of. */
function expression(rule: number): string {
  const handler = `handler="/api/v1/resource/${rule % 60}"`;
  if (rule % 3 === 0) return `sum by (method, service) (rate(http_requests_total{${handler}}[1m]))`;
  if (rule % 3 === 1)
    return `http_requests_total{instance="127.0.0.1:${21_000 + (rule % 100)}",${handler}} > 0`;
  return `avg(queue_temperature_celsius{queue="q${rule % 50}"})`;
}

interface Evaluations {
  count: number;
  groupSeconds: number;
  missed: number;
}

async function evaluations(port: number): Promise<Evaluations> {
  const metrics = (await getBody(port, "/metrics")).toString();
  const values = (name: string): number[] =>
    [...metrics.matchAll(new RegExp(`^${name}(?:\\{.*\\})? (\\S+)$`, "gm"))].map(([, value]) =>
      Number(value),
    );
  const sum = (name: string): number => values(name).reduce((total, value) => total + value, 0);
  return {
    count: sum("prometheus_rule_evaluations_total"),
    groupSeconds: Math.max(...values("prometheus_rule_group_last_duration_seconds")),
    missed: sum("prometheus_rule_group_iterations_missed_total"),
  };
}
