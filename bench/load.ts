/**
 * The scraped side of the benchmark, a process of its own: `targets` exporters on as many ports, each with `series`
 * series of counters, gauges and classic histograms whose values move with time. It answers SIGUSR2 by printing, as one
 * JSON line, the longest time a scrape came later than one interval after the one before it, and starts anew.
 */
import { createServer } from "node:http";
import { parseArgs } from "node:util";
import { targetSeries } from "./series.ts";

const { values: flags } = parseArgs({
  options: {
    targets: { type: "string", default: "100" },
    series: { type: "string", default: "1000" },
    "interval-ms": { type: "string", default: "1000" },
    "first-port": { type: "string", default: "21000" },
    stamped: { type: "boolean", default: false },
    scrapes: { type: "string", default: "0" },
    "step-ms": { type: "string", default: "15000" },
  },
});
const targetCount = Number(flags.targets);
const seriesCount = Number(flags.series);
const intervalMs = Number(flags["interval-ms"]);
const firstPort = Number(flags["first-port"]);
/** Whether samples carry their times, so that all who scrape have the same. */
const isStamped = flags.stamped;
/** So many scrapes of a target bring samples that are `stepMs` apart, whose time reaches the present with the last one; later scrapes bring that again. */
const pastScrapes = Number(flags.scrapes);
const stepMs = Number(flags["step-ms"]);

/** How often values move when samples carry their times: every scraper then sees each of them, whenever it comes. */
const stampSeconds = 5;

/** How long before the full second: no window begins at a sample, which would count before Prometheus 3 and since then does not. */
const stampOffsetMs = 137;

/** A line of an exposition, up to the value. */
interface Line {
  head: string;
  readonly valueAt: (second: number) => number;
}

function lines(target: number): Line[] {
  return targetSeries(target, seriesCount).map(({ name, labels, comment = "", valueAt }) => {
    const pairs = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
    return { head: `${comment}${name}{${pairs.join(",")}} `, valueAt };
  });
}

function expose(all: readonly Line[], scrape: number): string {
  if (pastScrapes > 0) return exposePast(all, Math.min(scrape, pastScrapes - 1));
  const second = Math.floor(Date.now() / 1000);
  const stamped = second - (second % stampSeconds);
  let body = "";
  for (const { head, valueAt } of all) {
    if (isStamped) body += `${head}${valueAt(stamped % 1_000_000)} ${stamped * 1000 - stampOffsetMs}\n`;
    else body += `${head}${valueAt(1000 + second - startedSecond)}\n`;
  }
  return body;
}

function exposePast(all: readonly Line[], scrape: number): string {
  const ms = firstPastMs + scrape * stepMs;
  const second = Math.floor((ms - firstPastMs) / 1000);
  let body = "";
  for (const { head, valueAt } of all) body += `${head}${valueAt(1000 + second)} ${ms}\n`;
  return body;
}

const lastScrapeMs: (number | undefined)[] = [];
let longestDelayMs = 0;
const startedSecond = Math.floor(Date.now() / 1000);
const firstPastMs = Date.now() + pastScrapes * (intervalMs - stepMs);

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
  const all = lines(target);
  let scrapes = 0;
  const server = createServer((_, response) => {
    noteScrape(target);
    const body = Buffer.from(expose(all, scrapes++));
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
