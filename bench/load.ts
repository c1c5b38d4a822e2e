/**
 * The scraped side of the benchmark, a process of its own: `targets` exporters on as many ports, each with `series`
 * series of counters, gauges and classic histograms whose values move with time. It answers SIGUSR2 by printing, as one
 * JSON line, the longest time a scrape came later than one interval after the one before it, and starts anew.
 */
import { createServer } from "node:http";
import { parseArgs } from "node:util";

const { values: flags } = parseArgs({
  options: {
    targets: { type: "string", default: "100" },
    series: { type: "string", default: "1000" },
    "interval-ms": { type: "string", default: "1000" },
    "first-port": { type: "string", default: "21000" },
  },
});
const targetCount = Number(flags.targets);
const seriesCount = Number(flags.series);
const intervalMs = Number(flags["interval-ms"]);
const firstPort = Number(flags["first-port"]);

const bucketBounds = ["0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10", "+Inf"];
const services = ["api", "auth", "billing", "cart", "checkout", "feed", "mail", "media", "search", "users"];
const methods = ["GET", "POST", "PUT"];
const codes = ["200", "404", "500"];

/** One line of an exposition: everything before the value, and how the value grows (counters) or swings (gauges). */
interface Line {
  head: string;
  comment?: string;
  valueAt(second: number): number;
}

/** Of each 1,000 series about 102 are request counters, 840 belong to histograms, the rest are gauges. */
function buildLines(target: number): Line[] {
  const lines: Line[] = [];
  const counters = Math.round(seriesCount * 0.102);
  const histograms = Math.round((seriesCount * 0.84) / (bucketBounds.length + 2));
  const gauges = seriesCount - counters - histograms * (bucketBounds.length + 2);
  for (let i = 0; i < counters; i++) {
    const labels = `service="${services[i % 10]}",method="${methods[i % 3]}",code="${codes[(i >> 2) % 3]}",handler="/api/v1/resource/${i}"`;
    const perSecond = 1 + ((i * 7 + target) % 50);
    lines.push({
      head: `http_requests_total{${labels}} `,
      comment:
        i === 0
          ? "# HELP http_requests_total Requests served.\n# TYPE http_requests_total counter\n"
          : undefined,
      valueAt: (second) => Math.floor(second * perSecond + (second % 7) * (i % 5)),
    });
  }
  for (let i = 0; i < histograms; i++) pushHistogram(lines, target, i);
  for (let i = 0; i < gauges; i++) {
    lines.push({
      head: `queue_temperature_celsius{queue="q${i}",zone="z${i % 4}"} `,
      comment:
        i === 0
          ? "# HELP queue_temperature_celsius A value that swings.\n# TYPE queue_temperature_celsius gauge\n"
          : undefined,
      valueAt: (second) => Math.round(Math.sin((second + i * 13 + target) / 60) * 4000) / 100,
    });
  }
  return lines;
}

function pushHistogram(lines: Line[], target: number, i: number): void {
  const name = "http_request_duration_seconds";
  const labels = `service="${services[i % 10]}",method="${methods[i % 3]}",handler="/api/v1/resource/${i}"`;
  const perSecond = 2 + ((i * 3 + target) % 20);
  bucketBounds.forEach((bound, b) => {
    const share = (b + 1) / bucketBounds.length;
    lines.push({
      head: `${name}_bucket{${labels},le="${bound}"} `,
      comment:
        i === 0 && b === 0 ? `# HELP ${name} How long requests took.\n# TYPE ${name} histogram\n` : undefined,
      valueAt: (second) => Math.floor(second * perSecond * share),
    });
  });
  lines.push({
    head: `${name}_sum{${labels}} `,
    valueAt: (second) => Math.round(second * perSecond * 213.7) / 1000,
  });
  lines.push({ head: `${name}_count{${labels}} `, valueAt: (second) => Math.floor(second * perSecond) });
}

function expose(lines: readonly Line[], second: number): string {
  let body = "";
  for (const line of lines) {
    if (line.comment !== undefined) body += line.comment;
    body += `${line.head}${line.valueAt(second)}\n`;
  }
  return body;
}

const lastScrapeMs: (number | undefined)[] = [];
let longestDelayMs = 0;
const startedMs = performance.now();

function noteScrape(target: number): void {
  const nowMs = performance.now();
  const lastMs = lastScrapeMs[target];
  if (lastMs !== undefined) longestDelayMs = Math.max(longestDelayMs, nowMs - lastMs - intervalMs);
  lastScrapeMs[target] = nowMs;
}

process.on("SIGUSR2", () => {
  process.stdout.write(`${JSON.stringify({ longestDelayMs })}\n`);
  longestDelayMs = 0;
  lastScrapeMs.fill(undefined);
});

let listening = 0;
for (let target = 0; target < targetCount; target++) {
  const lines = buildLines(target);
  const server = createServer((_, response) => {
    noteScrape(target);
    const body = Buffer.from(expose(lines, 1000 + Math.floor((performance.now() - startedMs) / 1000)));
    response.writeHead(200, {
      "content-type": "text/plain; version=0.0.4; charset=utf-8",
      "content-length": body.length,
    });
    response.end(body);
  });
  server.keepAliveTimeout = 60_000;
  server.listen(firstPort + target, "127.0.0.1", () => {
    if (++listening === targetCount) process.stdout.write("ready\n");
  });
}
process.on("SIGTERM", () => process.exit(0));
