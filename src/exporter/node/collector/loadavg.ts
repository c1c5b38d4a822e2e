import type { Collector, CollectorContext } from "../collector.ts";
import { fieldsOf, numberIn } from "../files.ts";

export function createLoadavgCollector({ proc }: CollectorContext): Collector {
  return {
    collect(sink) {
      const [load1, load5, load15] = fieldsOf(proc.read("loadavg"));
      sink.gauge("node_load1", "1m load average.").add(numberIn("loadavg", load1));
      sink.gauge("node_load5", "5m load average.").add(numberIn("loadavg", load5));
      sink.gauge("node_load15", "15m load average.").add(numberIn("loadavg", load15));
    },
  };
}
