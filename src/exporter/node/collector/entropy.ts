import type { Collector, CollectorContext } from "../collector.ts";
import { numberIn } from "../files.ts";

export function createEntropyCollector({ proc }: CollectorContext): Collector {
  const read = (name: string): number => numberIn(name, proc.read(`sys/kernel/random/${name}`).trim());
  return {
    collect(sink) {
      sink.gauge("node_entropy_available_bits", "Bits of available entropy.").add(read("entropy_avail"));
      sink.gauge("node_entropy_pool_size_bits", "Bits of entropy pool.").add(read("poolsize"));
    },
  };
}
