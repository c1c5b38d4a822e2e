import { networkInterfaces } from "node:os";
import type { LabelPair } from "@narthex/client";
import { NarthexError } from "../../../base/index.ts";
import type { Collector, CollectorContext } from "../collector.ts";
import { type FileTree, fieldsOf, linesOf, numberIn } from "../files.ts";
import { NameFilter } from "../filter.ts";
import type { MetricSink } from "../sink.ts";

/** In the order of the fields of /proc/net/dev, which adds the finer counters of the kernel up. */
const statistics: readonly string[] = [
  ...["bytes", "packets", "errs", "drop", "fifo", "frame", "compressed", "multicast"].map(
    (name) => `receive_${name}`,
  ),
  ...["bytes", "packets", "errs", "drop", "fifo", "colls", "carrier", "compressed"].map(
    (name) => `transmit_${name}`,
  ),
];

export function createNetdevCollector({ proc, sys, options }: CollectorContext): Collector {
  const filter = new NameFilter(options.netdevDevice);
  return {
    collect(sink) {
      for (const [device, values] of readDevices(proc)) {
        if (!filter.passes(device)) continue;
        const labels: LabelPair[] = [["device", device]];
        if (options.netdevLabelIfAlias)
          labels.push(["ifalias", sys.attribute(`class/net/${device}/ifalias`) ?? ""]);
        const add = (statistic: string, value: number): void =>
          sink
            .counter(`node_network_${statistic}_total`, `Network device statistic ${statistic}.`)
            .add(value, labels);
        if (options.netdevDetailed) {
          for (const [statistic, value] of readDetails(sys, device)) add(statistic, value);
        } else {
          for (const [index, statistic] of statistics.entries()) add(statistic, values[index] ?? 0);
          const noHandler = sys.number(`class/net/${device}/statistics/rx_nohandler`);
          if (noHandler !== undefined) add("receive_nohandler", noHandler);
        }
      }
      if (options.netdevAddressInfo) addAddresses(sink, filter);
    },
  };
}

/** `eth0: 1 2 3 …`, after two lines of headings. An alias' name has a colon of its own. */
function readDevices(proc: FileTree): [device: string, values: number[]][] {
  return linesOf(proc.read("net/dev"))
    .slice(2)
    .map((line) => {
      const colon = line.lastIndexOf(":");
      if (colon < 0) throw new NarthexError("bad_data", `malformed line in net/dev: ${JSON.stringify(line)}`);
      const values = fieldsOf(line.slice(colon + 1)).map((text) => numberIn("net/dev", text));
      return [line.slice(0, colon).trim(), values];
    });
}

/** All counters that the kernel keeps of a device: `rx_dropped` as `receive_dropped`. */
function readDetails(sys: FileTree, device: string): [statistic: string, value: number][] {
  const directory = `class/net/${device}/statistics`;
  return sys.list(directory).flatMap((name): [string, number][] => {
    const value = sys.number(`${directory}/${name}`);
    return value === undefined
      ? []
      : [[name.replace(/^rx_/, "receive_").replace(/^tx_/, "transmit_"), value]];
  });
}

function addAddresses(sink: MetricSink, filter: NameFilter): void {
  const info = sink.gauge("node_network_address_info", "node network address by device");
  for (const [device, addresses] of Object.entries(networkInterfaces())) {
    if (!filter.passes(device)) continue;
    for (const { address, cidr, internal } of addresses ?? []) {
      info.add(1, [
        ["device", device],
        ["address", address],
        ["netmask", cidr?.split("/")[1] ?? ""],
        ["scope", internal || isLinkLocal(address) ? "link-local" : "global"],
      ]);
    }
  }
}

function isLinkLocal(address: string): boolean {
  return address.startsWith("169.254.") || /^fe[89ab]/i.test(address);
}
