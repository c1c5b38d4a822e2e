import type { LabelPair } from "@narthex/client";
import { type Collector, type CollectorContext, NoDataError } from "../collector.ts";
import { type FileTree, parseInteger } from "../files.ts";
import { NameFilter } from "../filter.ts";
import type { MetricSink } from "../sink.ts";

/** Attributes in /sys/class/net/<device>, by the name they are exposed under. */
const attributes: readonly { file: string; name: string; counter?: boolean }[] = [
  { file: "addr_assign_type", name: "address_assign_type" },
  { file: "carrier", name: "carrier" },
  { file: "carrier_changes", name: "carrier_changes_total", counter: true },
  { file: "carrier_up_count", name: "carrier_up_changes_total", counter: true },
  { file: "carrier_down_count", name: "carrier_down_changes_total", counter: true },
  { file: "dev_id", name: "device_id" },
  { file: "dormant", name: "dormant" },
  { file: "flags", name: "flags" },
  { file: "ifindex", name: "iface_id" },
  { file: "iflink", name: "iface_link" },
  { file: "link_mode", name: "iface_link_mode" },
  { file: "mtu", name: "mtu_bytes" },
  { file: "name_assign_type", name: "name_assign_type" },
  { file: "netdev_group", name: "net_dev_group" },
  { file: "tx_queue_len", name: "transmit_queue_length" },
  { file: "type", name: "protocol_type" },
];
const directory = "class/net";
/** Bit of the interface flags. */
const flagUp = 1;

export function createNetclassCollector({ sys, options }: CollectorContext): Collector {
  const ignored = new NameFilter({ exclude: options.netclassIgnoredDevices });
  return {
    async collect(sink) {
      const names = sys.list(directory);
      if (names.length === 0) throw new NoDataError();
      const devices = names.filter((device) => ignored.passes(device) && isDevice(sys, device));
      const links = await Promise.all(devices.map((device) => readLink(sys, device)));
      for (const [index, device] of devices.entries()) {
        collectDevice(sink, sys, device, links[index]!);
        const { megabits } = links[index]!;
        if (megabits === undefined || (megabits < 0 && options.netclassIgnoreInvalidSpeed)) continue;
        sink
          .gauge("node_network_speed_bytes", "Network device property: speed_bytes")
          .add(Math.trunc((megabits * 1000 * 1000) / 8), [["device", device]]);
      }
    },
  };
}

/** The directory also holds files such as `bonding_masters`. */
function isDevice(sys: FileTree, name: string): boolean {
  return sys.attribute(`${directory}/${name}/ifindex`) !== undefined;
}

interface Link {
  readonly duplex: string;
  /** Per second; negative when unknown. */
  readonly megabits: number | undefined;
}

/** What the driver may have to ask the card for. */
async function readLink(sys: FileTree, device: string): Promise<Link> {
  const [duplex, speed] = await Promise.all([
    sys.slowAttribute(`${directory}/${device}/duplex`),
    sys.slowAttribute(`${directory}/${device}/speed`),
  ]);
  return { duplex: duplex ?? "", megabits: parseInteger(speed) };
}

function collectDevice(sink: MetricSink, sys: FileTree, device: string, link: Link): void {
  const read = (file: string): string => sys.attribute(`${directory}/${device}/${file}`) ?? "";
  const labels: LabelPair[] = [["device", device]];
  const state = read("operstate");
  sink
    .gauge("node_network_up", "Value is 1 if operstate is 'up', 0 otherwise.")
    .add(state === "up" ? 1 : 0, labels);
  sink
    .gauge("node_network_info", "Non-numeric data from /sys/class/net/<iface>, value is always 1.")
    .add(1, [
      ...labels,
      ["address", read("address")],
      ["broadcast", read("broadcast")],
      ["duplex", link.duplex],
      ["operstate", state],
      ["adminstate", adminState(parseInteger(read("flags")))],
      ["ifalias", read("ifalias")],
    ]);
  for (const { file, name, counter } of attributes) {
    const value = parseInteger(read(file));
    if (value === undefined) continue;
    const help = `Network device property: ${name}`;
    const family = counter
      ? sink.counter(`node_network_${name}`, help)
      : sink.gauge(`node_network_${name}`, help);
    family.add(value, labels);
  }
}

function adminState(flags: number | undefined): string {
  if (flags === undefined) return "unknown";
  return (flags & flagUp) !== 0 ? "up" : "down";
}
