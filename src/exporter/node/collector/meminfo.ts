import type { Collector, CollectorContext } from "../collector.ts";
import { fieldsOf, linesOf, numberIn } from "../files.ts";

/** Every field of /proc/meminfo, those too that newer kernels add. */
export function createMeminfoCollector({ proc }: CollectorContext): Collector {
  return {
    collect(sink) {
      for (const line of linesOf(proc.read("meminfo"))) {
        const [name = "", value, unit] = fieldsOf(line.replace(":", " "));
        const field = name.replace(/\((.*)\)/, "_$1") + (unit === "kB" ? "_bytes" : "");
        const bytes = numberIn("meminfo", value) * (unit === "kB" ? 1024 : 1);
        sink.gauge(`node_memory_${field}`, `Memory information field ${field}.`).add(bytes);
      }
    },
  };
}
