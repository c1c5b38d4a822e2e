import type { LabelPair } from "@narthex/client";
import { NarthexError } from "../../../base/index.ts";
import type { Collector, CollectorContext } from "../collector.ts";
import { fieldsOf, linesOf } from "../files.ts";

/** Fields of /proc/net/softnet_stat by position; newer kernels have more of them, all hexadecimal. */
const counters: readonly { field: number; name: string; help: string }[] = [
  { field: 0, name: "processed", help: "Number of processed packets" },
  { field: 1, name: "dropped", help: "Number of dropped packets" },
  { field: 2, name: "times_squeezed", help: "Number of times processing packets ran out of quota" },
  {
    field: 8,
    name: "cpu_collision",
    help: "Number of collision occur while obtaining device lock while transmitting",
  },
  { field: 9, name: "received_rps", help: "Number of times cpu woken up received_rps" },
  { field: 10, name: "flow_limit_count", help: "Number of times flow limit has been reached" },
];
const fieldsMin = 9;
const backlogField = 11;
const cpuField = 12;

export function createSoftnetCollector({ proc }: CollectorContext): Collector {
  return {
    collect(sink) {
      const backlog = sink.gauge("node_softnet_backlog_len", "Softnet backlog status");
      for (const [index, line] of linesOf(proc.read("net/softnet_stat")).entries()) {
        const values = fieldsOf(line).map((text) => parseInt(text, 16));
        if (values.length < fieldsMin || values.some(Number.isNaN)) {
          throw new NarthexError(
            "bad_data",
            `expected ${fieldsMin} or more hexadecimal fields in net/softnet_stat`,
          );
        }
        const labels: LabelPair[] = [["cpu", String(values[cpuField] ?? index)]];
        for (const { field, name, help } of counters) {
          sink.counter(`node_softnet_${name}_total`, help).add(values[field] ?? 0, labels);
        }
        backlog.add(values.length > cpuField ? values[backlogField]! : 0, labels);
      }
    },
  };
}
