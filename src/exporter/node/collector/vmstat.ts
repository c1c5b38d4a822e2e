import type { Collector, CollectorContext } from "../collector.ts";
import { fieldsOf, linesOf, numberIn } from "../files.ts";
import { NameFilter } from "../filter.ts";

export function createVmstatCollector({ proc, options }: CollectorContext): Collector {
  const filter = new NameFilter({ include: options.vmstatFields });
  return {
    collect(sink) {
      for (const line of linesOf(proc.read("vmstat"))) {
        const [field = "", value] = fieldsOf(line);
        if (!filter.passes(field)) continue;
        sink
          .untyped(`node_vmstat_${field}`, `/proc/vmstat information field ${field}.`)
          .add(numberIn("vmstat", value));
      }
    },
  };
}
