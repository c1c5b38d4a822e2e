import type { LabelPair } from "@narthex/client";
import type { Collector, CollectorContext } from "../collector.ts";
import { type FileTree, fieldsOf, linesOf, numberIn } from "../files.ts";
import { NameFilter } from "../filter.ts";
import type { MetricSink } from "../sink.ts";

/** The unit of times in /proc/stat, whatever the kernel's own tick. */
const ticksPerSecond = 100;
/** When a CPU's idle time falls by this much, the CPU was unplugged and plugged in again, and counts from zero. */
const idleJumpSeconds = 3;
const idle = 3;

const modes = ["user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal"] as const;
/** Where guest times follow in the line. */
const guestModes = ["user", "nice"] as const;

const cpuDirectory = "devices/system/cpu";

export function createCpuCollector(context: CollectorContext): Collector {
  return new CpuCollector(context);
}

class CpuCollector implements Collector {
  readonly #context: CollectorContext;
  readonly #isolated: readonly number[];
  readonly #flags: NameFilter | undefined;
  readonly #bugs: NameFilter | undefined;
  /** The highest value seen of each time of each CPU: the kernel's own may go back a little. */
  #seconds = new Map<string, number[]>();
  #topology: CpuTopology;

  constructor(context: CollectorContext) {
    const { options, sys } = context;
    this.#context = context;
    this.#isolated = parseCpuList(sys.attribute(`${cpuDirectory}/isolated`) ?? "");
    this.#flags =
      options.cpuFlagsInclude === "" ? undefined : new NameFilter({ include: options.cpuFlagsInclude });
    this.#bugs =
      options.cpuBugsInclude === "" ? undefined : new NameFilter({ include: options.cpuBugsInclude });
    this.#topology = readTopology(sys);
  }

  collect(sink: MetricSink): void {
    const { options } = this.#context;
    if (options.cpuInfo || this.#flags !== undefined || this.#bugs !== undefined) this.#collectInfo(sink);
    this.#collectTimes(sink);
    const isolated = sink.gauge(
      "node_cpu_isolated",
      "Whether each core is isolated, information from /sys/devices/system/cpu/isolated.",
    );
    for (const cpu of this.#isolated) isolated.add(1, [["cpu", String(cpu)]]);
    this.#collectTopology(sink);
  }

  #collectTimes(sink: MetricSink): void {
    const total = sink.counter("node_cpu_seconds_total", "Seconds the CPUs spent in each mode.");
    const guest = sink.counter(
      "node_cpu_guest_seconds_total",
      "Seconds the CPUs spent in guests (VMs) for each mode.",
    );
    const before = this.#seconds;
    this.#seconds = new Map();
    for (const line of linesOf(this.#context.proc.read("stat"))) {
      if (!/^cpu\d/.test(line)) continue;
      const [name = "", ...ticks] = fieldsOf(line);
      const cpu = name.slice("cpu".length);
      const now = ticks.map((text) => numberIn("stat", text) / ticksPerSecond);
      const seconds = notFalling(before.get(cpu), now);
      this.#seconds.set(cpu, seconds);
      for (const [index, mode] of modes.entries()) {
        total.add(seconds[index] ?? 0, [
          ["cpu", cpu],
          ["mode", mode],
        ]);
      }
      if (!this.#context.options.cpuGuest) continue;
      for (const [index, mode] of guestModes.entries()) {
        guest.add(seconds[modes.length + index] ?? 0, [
          ["cpu", cpu],
          ["mode", mode],
        ]);
      }
    }
  }

  #collectTopology(sink: MetricSink): void {
    const { sys } = this.#context;
    if (sys.list(cpuDirectory).filter(isCpuName).join() !== this.#topology.names.join()) {
      this.#topology = readTopology(sys);
    }
    const cores = sink.counter(
      "node_cpu_core_throttles_total",
      "Number of times this CPU core has been throttled.",
    );
    for (const { path, labels } of this.#topology.coreThrottles) cores.add(sys.number(path) ?? 0, labels);
    const packages = sink.counter(
      "node_cpu_package_throttles_total",
      "Number of times this CPU package has been throttled.",
    );
    for (const { path, labels } of this.#topology.packageThrottles)
      packages.add(sys.number(path) ?? 0, labels);
    if (!this.#topology.tellsOnline) return;
    const online = sink.gauge("node_cpu_online", "CPUs that are online and being scheduled.");
    for (const name of this.#topology.names) {
      online.add(sys.number(`${cpuDirectory}/${name}/online`) ?? 0, [["cpu", name.slice("cpu".length)]]);
    }
  }

  #collectInfo(sink: MetricSink): void {
    const cpus = parseCpuInfo(this.#context.proc.read("cpuinfo"));
    const info = sink.gauge("node_cpu_info", "CPU information from /proc/cpuinfo.");
    const frequency = sink.gauge("node_cpu_frequency_hertz", "CPU frequency in hertz from /proc/cpuinfo.");
    const withFrequency = this.#context.options.collectors.includes("cpufreq");
    for (const cpu of cpus) {
      const get = (key: string): string => cpu.get(key) ?? "";
      const place: LabelPair[] = [
        ["package", get("physical id")],
        ["core", get("core id")],
        ["cpu", get("processor")],
      ];
      info.add(1, [
        ...place,
        ["vendor", get("vendor_id")],
        ["family", get("cpu family")],
        ["model", get("model")],
        ["model_name", get("model name")],
        ["microcode", get("microcode")],
        ["stepping", get("stepping")],
        ["cachesize", get("cache size")],
      ]);
      if (withFrequency) frequency.add(Number(get("cpu MHz")) * 1e6, place);
    }
    const [first] = cpus;
    addMatching(this.#flags, first?.get("flags"), (flag) =>
      sink
        .gauge(
          "node_cpu_flag_info",
          "The `flags` field of CPU information from /proc/cpuinfo taken from the first core.",
        )
        .add(1, [["flag", flag]]),
    );
    addMatching(this.#bugs, first?.get("bugs"), (bug) =>
      sink
        .gauge(
          "node_cpu_bug_info",
          "The `bugs` field of CPU information from /proc/cpuinfo taken from the first core.",
        )
        .add(1, [["bug", bug]]),
    );
  }
}

/** The new times, none below the old one, unless the CPU was plugged in anew. */
function notFalling(before: readonly number[] | undefined, now: readonly number[]): number[] {
  if (before === undefined || before[idle]! - now[idle]! >= idleJumpSeconds) return [...now];
  return now.map((value, index) => Math.max(value, before[index] ?? 0));
}

interface CpuTopology {
  /** `cpu0` … */
  readonly names: readonly string[];
  /** Files that count throttling, one per core and one per package. */
  readonly coreThrottles: readonly { path: string; labels: LabelPair[] }[];
  readonly packageThrottles: readonly { path: string; labels: LabelPair[] }[];
  readonly tellsOnline: boolean;
}

/** Read once, and again when CPUs come or go. */
function readTopology(sys: FileTree): CpuTopology {
  const names = sys.list(cpuDirectory).filter(isCpuName);
  const cores = new Map<string, { path: string; labels: LabelPair[] }>();
  const packages = new Map<string, { path: string; labels: LabelPair[] }>();
  for (const name of names) {
    const directory = `${cpuDirectory}/${name}`;
    const packageId = sys.number(`${directory}/topology/physical_package_id`);
    const coreId = sys.number(`${directory}/topology/core_id`);
    if (packageId === undefined || coreId === undefined || packageId < 0) continue;
    const throttles = `${directory}/thermal_throttle`;
    const inPackage: LabelPair = ["package", String(packageId)];
    addOnce(sys, cores, `${packageId}/${coreId}`, `${throttles}/core_throttle_count`, [
      inPackage,
      ["core", String(coreId)],
    ]);
    addOnce(sys, packages, String(packageId), `${throttles}/package_throttle_count`, [inPackage]);
  }
  return {
    names,
    coreThrottles: [...cores.values()],
    packageThrottles: [...packages.values()],
    tellsOnline: names.length > 0 && sys.number(`${cpuDirectory}/${names[0]}/online`) !== undefined,
  };
}

function addOnce(
  sys: FileTree,
  into: Map<string, { path: string; labels: LabelPair[] }>,
  key: string,
  path: string,
  labels: LabelPair[],
): void {
  if (!into.has(key) && sys.number(path) !== undefined) into.set(key, { path, labels });
}

function isCpuName(name: string): boolean {
  return /^cpu\d+$/.test(name);
}

/** `0-2,7` as 0, 1, 2, 7. */
function parseCpuList(text: string): number[] {
  return text
    .split(",")
    .filter((range) => /^\d+(?:-\d+)?$/.test(range))
    .flatMap((range) => {
      const [first = 0, last = first] = range.split("-").map(Number);
      return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index);
    });
}

/** One map for each CPU: the blocks of `key : value` lines. */
function parseCpuInfo(text: string): Map<string, string>[] {
  return text
    .split(/\n\s*\n/)
    .map((block) => {
      const pairs = linesOf(block).map((line) => line.split(":"));
      return new Map(pairs.map(([key = "", ...rest]) => [key.trim(), rest.join(":").trim()]));
    })
    .filter((cpu) => cpu.has("processor"));
}

function addMatching(
  filter: NameFilter | undefined,
  list: string | undefined,
  add: (name: string) => void,
): void {
  if (filter === undefined || list === undefined) return;
  for (const name of new Set(fieldsOf(list))) if (filter.passes(name)) add(name);
}
