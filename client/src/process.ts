import { readdirSync, readFileSync } from "node:fs";
import { constants, monitorEventLoopDelay, PerformanceObserver } from "node:perf_hooks";
import { getHeapSpaceStatistics } from "node:v8";
import type { Registry } from "./registry.ts";

/** How often the event loop's delay is measured. Each measurement waits this long, which is taken off again. */
const LOOP_RESOLUTION_MS = 20;
const GC_BUCKETS_SECONDS: readonly number[] = [0.001, 0.01, 0.1, 1, 2, 5];

const START_SECONDS = Date.now() / 1000 - process.uptime();

const GC_KINDS: ReadonlyMap<number, string> = new Map([
  [constants.NODE_PERFORMANCE_GC_MAJOR, "major"],
  [constants.NODE_PERFORMANCE_GC_MINOR, "minor"],
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL, "incremental"],
  [constants.NODE_PERFORMANCE_GC_WEAKCB, "weakcb"],
]);

/**
 * Registers `process_*` and `nodejs_*` metrics of this process. What the platform does not tell (file descriptors
 * outside Linux) is left out. `close` stops the measuring and keeps what was registered.
 */
export function startProcessMetrics(registry: Registry): { close(): void } {
  registerProcess(registry);
  registerHeap(registry);
  const closeLoop = startEventLoopMetrics(registry);
  const closeGc = startGcMetrics(registry);
  return {
    close() {
      closeLoop();
      closeGc();
    },
  };
}

function registerProcess(registry: Registry): void {
  registry.counterFunction(
    { name: "process_cpu_seconds_total", help: "Total user and system CPU time spent in seconds." },
    () => {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1e6;
    },
  );
  registry.gaugeFunction(
    { name: "process_resident_memory_bytes", help: "Resident memory size in bytes.", unit: "bytes" },
    () => process.memoryUsage.rss(),
  );
  registry.gaugeFunction(
    {
      name: "process_start_time_seconds",
      help: "Start time of the process since unix epoch in seconds.",
      unit: "seconds",
    },
    () => START_SECONDS,
  );
  if (process.platform === "linux") registerLinux(registry);
}

function registerLinux(registry: Registry): void {
  registry.gaugeFunction(
    { name: "process_virtual_memory_bytes", help: "Virtual memory size in bytes.", unit: "bytes" },
    () => Number(/^VmSize:\s*(\d+) kB/m.exec(readFileSync("/proc/self/status", "latin1"))?.[1]) * 1024,
  );
  registry.gaugeFunction(
    {
      name: "process_virtual_memory_max_bytes",
      help: "Maximum amount of virtual memory available in bytes.",
      unit: "bytes",
    },
    () => softLimit("Max address space"),
  );
  registry.counterFunction(
    {
      name: "process_network_receive_bytes_total",
      help: "Number of bytes received by the process over the network.",
      unit: "bytes",
    },
    () => networkOctets("InOctets"),
  );
  registry.counterFunction(
    {
      name: "process_network_transmit_bytes_total",
      help: "Number of bytes sent by the process over the network.",
      unit: "bytes",
    },
    () => networkOctets("OutOctets"),
  );
  registry.gaugeFunction(
    { name: "process_open_fds", help: "Number of open file descriptors." },
    // The listing itself needs one.
    () => readdirSync("/proc/self/fd").length - 1,
  );
  registry.gaugeFunction({ name: "process_max_fds", help: "Maximum number of open file descriptors." }, () =>
    softLimit("Max open files"),
  );
}

/** All that the process' network namespace has seen, as programs in Go count it. */
function networkOctets(name: string): number {
  const lines = readFileSync("/proc/self/net/netstat", "latin1").split("\n");
  const [names, values] = lines.filter((line) => line.startsWith("IpExt:")).map((line) => line.split(" "));
  return Number(values?.[names!.indexOf(name)]);
}

/** 2⁶⁴ when there is none, as programs in Go say. */
function softLimit(name: string): number {
  const line = readFileSync("/proc/self/limits", "latin1")
    .split("\n")
    .find((one) => one.startsWith(name));
  const soft = line?.slice(name.length).trim().split(/ +/)[0];
  return soft === undefined || soft === "unlimited" ? 2 ** 64 : Number(soft);
}

function registerHeap(registry: Registry): void {
  const spaces = {
    total: registry.gauge({
      name: "nodejs_heap_space_size_total_bytes",
      help: "Size of each space of the heap in bytes.",
      unit: "bytes",
      labelNames: ["space"],
    }),
    used: registry.gauge({
      name: "nodejs_heap_space_size_used_bytes",
      help: "Used part of each space of the heap in bytes.",
      unit: "bytes",
      labelNames: ["space"],
    }),
  };
  const total = registry.gauge({
    name: "nodejs_heap_size_total_bytes",
    help: "Size of the JavaScript heap in bytes.",
    unit: "bytes",
  });
  const used = registry.gauge({
    name: "nodejs_heap_size_used_bytes",
    help: "Used part of the JavaScript heap in bytes.",
    unit: "bytes",
  });
  const external = registry.gauge({
    name: "nodejs_external_memory_bytes",
    help: "Memory outside the heap that objects in it hold, in bytes.",
    unit: "bytes",
  });
  registry
    .gauge({
      name: "nodejs_version_info",
      help: "The version of Node.js that runs this process.",
      labelNames: ["version"],
    })
    .labels({ version: process.version })
    .set(1);
  registry.collector(() => {
    const memory = process.memoryUsage();
    total.set(memory.heapTotal);
    used.set(memory.heapUsed);
    external.set(memory.external);
    for (const { space_name, space_size, space_used_size } of getHeapSpaceStatistics()) {
      const space = space_name.replace(/_space$/, "");
      spaces.total.labels({ space }).set(space_size);
      spaces.used.labels({ space }).set(space_used_size);
    }
  });
}

function startEventLoopMetrics(registry: Registry): () => void {
  const delay = monitorEventLoopDelay({ resolution: LOOP_RESOLUTION_MS });
  const gauge = (name: string, what: string) =>
    registry.gauge({
      name: `nodejs_eventloop_lag_${name}seconds`,
      help: `${what} delay of the event loop since the previous scrape, in seconds.`,
      unit: "seconds",
    });
  const gauges = {
    mean: gauge("", "Mean"),
    min: gauge("min_", "Smallest"),
    max: gauge("max_", "Largest"),
    p50: gauge("p50_", "Median"),
    p90: gauge("p90_", "90th percentile of the"),
    p99: gauge("p99_", "99th percentile of the"),
  };
  registry.collector(() => {
    if (delay.count === 0) return;
    gauges.mean.set(lagSeconds(delay.mean));
    gauges.min.set(lagSeconds(delay.min));
    gauges.max.set(lagSeconds(delay.max));
    gauges.p50.set(lagSeconds(delay.percentile(50)));
    gauges.p90.set(lagSeconds(delay.percentile(90)));
    gauges.p99.set(lagSeconds(delay.percentile(99)));
    delay.reset();
  });
  delay.enable();
  return () => void delay.disable();
}

function lagSeconds(nanoseconds: number): number {
  return Math.max(0, nanoseconds / 1e9 - LOOP_RESOLUTION_MS / 1000);
}

function startGcMetrics(registry: Registry): () => void {
  const histogram = registry.histogram({
    name: "nodejs_gc_duration_seconds",
    help: "Duration of garbage collections by kind, in seconds.",
    unit: "seconds",
    labelNames: ["kind"],
    buckets: GC_BUCKETS_SECONDS,
  });
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const { kind } = (entry as unknown as { detail: { kind: number } }).detail;
      histogram.labels({ kind: GC_KINDS.get(kind) ?? "other" }).observe(entry.duration / 1000);
    }
  });
  observer.observe({ entryTypes: ["gc"] });
  return () => observer.disconnect();
}
