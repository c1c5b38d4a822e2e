import type { Collector, CollectorContext } from "../collector.ts";
import { fieldsOf, numberIn } from "../files.ts";

export function createFilefdCollector({ proc }: CollectorContext): Collector {
  return {
    collect(sink) {
      const file = "sys/fs/file-nr";
      // The second field has been zero since Linux 2.6.
      const [allocated, , maximum] = fieldsOf(proc.read(file));
      sink
        .gauge("node_filefd_allocated", "File descriptor statistics: allocated.")
        .add(numberIn(file, allocated));
      sink.gauge("node_filefd_maximum", "File descriptor statistics: maximum.").add(numberIn(file, maximum));
    },
  };
}
