import type { Collector, CollectorContext } from "../collector.ts";
import { fieldsOf, linesOf } from "../files.ts";
import { NameFilter } from "../filter.ts";

const deviceField = 5;

export function createArpCollector({ proc, options }: CollectorContext): Collector {
  const filter = new NameFilter(options.arpDevice);
  return {
    collect(sink) {
      const entries = sink.gauge("node_arp_entries", "ARP entries by device");
      const counts = new Map<string, number>();
      for (const line of linesOf(proc.read("net/arp")).slice(1)) {
        const device = fieldsOf(line)[deviceField];
        if (device === undefined || !filter.passes(device)) continue;
        counts.set(device, (counts.get(device) ?? 0) + 1);
      }
      for (const [device, count] of counts) entries.add(count, [["device", device]]);
    },
  };
}
