import type { LabelPair } from "@narthex/client";
import type { Collector, CollectorContext } from "../collector.ts";
import { type FileTree, fieldsOf, parseInteger } from "../files.ts";
import type { MetricSink } from "../sink.ts";

const directory = "devices/system/cpu";
/** In the order they are exposed; the first one interrupts the CPU it asks, and is read apart. */
const frequencies: readonly { file: string; name: string; help: string }[] = [
  { file: "cpuinfo_cur_freq", name: "frequency_hertz", help: "Current CPU thread frequency in hertz." },
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
const slowFile = "cpuinfo_cur_freq";

export function createCpufreqCollector({ sys }: CollectorContext): Collector {
  return {
    async collect(sink) {
      // A CPU whose frequency is fixed has none of the files.
      const cpus = sys
        .list(directory)
        .filter((name) => /^cpu\d+$/.test(name))
        .filter((name) => sys.attribute(`${directory}/${name}/cpufreq/scaling_governor`) !== undefined);
      const current = await Promise.all(
        cpus.map((name) => sys.slowAttribute(`${directory}/${name}/cpufreq/${slowFile}`)),
      );
      for (const [index, name] of cpus.entries()) collectCpu(sink, sys, name, current[index]);
    },
  };
}

function collectCpu(sink: MetricSink, sys: FileTree, name: string, current: string | undefined): void {
  const labels: LabelPair[] = [["cpu", name.slice("cpu".length)]];
  const read = (file: string): string | undefined =>
    file === slowFile ? current : sys.attribute(`${directory}/${name}/cpufreq/${file}`);
  for (const { file, name: metric, help } of frequencies) {
    const kilohertz = parseInteger(read(file));
    if (kilohertz !== undefined) sink.gauge(`node_cpu_${metric}`, help).add(kilohertz * 1000, labels);
  }
  const governors = sink.gauge("node_cpu_scaling_governor", "Current enabled CPU frequency governor.");
  const governor = read("scaling_governor");
  for (const candidate of fieldsOf(read("scaling_available_governors") ?? "")) {
    governors.add(candidate === governor ? 1 : 0, [...labels, ["governor", candidate]]);
  }
}
