import type { LabelPair } from "@narthex/client";
import type { Collector, CollectorContext } from "../collector.ts";
import { type FileTree, fieldsOf, parseInteger } from "../files.ts";
import type { MetricSink } from "../sink.ts";

const directory = "devices/system/cpu";
/** The files hold kHz. */
const hertz = 1000;

const frequencies: readonly { file: string; name: string; help: string; slow?: boolean }[] = [
  // This one interrupts the CPU it asks.
  {
    file: "cpuinfo_cur_freq",
    name: "frequency_hertz",
    help: "Current CPU thread frequency in hertz.",
    slow: true,
  },
  { file: "cpuinfo_avg_freq", name: "frequency_avg_hertz", help: "Average CPU thread frequency in hertz." },
  { file: "cpuinfo_min_freq", name: "frequency_min_hertz", help: "Minimum CPU thread frequency in hertz." },
  { file: "cpuinfo_max_freq", name: "frequency_max_hertz", help: "Maximum CPU thread frequency in hertz." },
  {
    file: "scaling_cur_freq",
    name: "scaling_frequency_hertz",
    help: "Current scaled CPU thread frequency in hertz.",
  },
  {
    file: "scaling_min_freq",
    name: "scaling_frequency_min_hertz",
    help: "Minimum scaled CPU thread frequency in hertz.",
  },
  {
    file: "scaling_max_freq",
    name: "scaling_frequency_max_hertz",
    help: "Maximum scaled CPU thread frequency in hertz.",
  },
];

export function createCpufreqCollector({ sys }: CollectorContext): Collector {
  return {
    async collect(sink) {
      const cpus = sys.list(directory).filter((name) => /^cpu\d+$/.test(name));
      await Promise.all(cpus.map((name) => collectCpu(sink, sys, name)));
    },
  };
}

async function collectCpu(sink: MetricSink, sys: FileTree, name: string): Promise<void> {
  const labels: LabelPair[] = [["cpu", name.slice("cpu".length)]];
  const governor = sys.attribute(`${directory}/${name}/cpufreq/scaling_governor`);
  // A CPU whose frequency is fixed has none of the files.
  if (governor === undefined) return;
  for (const { file, name: metric, help, slow } of frequencies) {
    const path = `${directory}/${name}/cpufreq/${file}`;
    const value = parseInteger(slow ? await sys.slowAttribute(path) : sys.attribute(path));
    if (value !== undefined) sink.gauge(`node_cpu_${metric}`, help).add(value * hertz, labels);
  }
  const governors = sink.gauge("node_cpu_scaling_governor", "Current enabled CPU frequency governor.");
  const available = sys.attribute(`${directory}/${name}/cpufreq/scaling_available_governors`) ?? "";
  for (const candidate of fieldsOf(available)) {
    governors.add(candidate === governor ? 1 : 0, [...labels, ["governor", candidate]]);
  }
}
