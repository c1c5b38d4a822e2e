import type { Collector, CollectorContext } from "../collector.ts";
import { type FileTree, fieldsOf, linesOf, numberIn } from "../files.ts";
import { NameFilter } from "../filter.ts";
import type { MetricSink } from "../sink.ts";

/** Of /proc/diskstats, whatever the device's own. */
const sectorBytes = 512;
const secondsPerMillisecond = 0.001;

/** In the order of the fields after the device's name. Older kernels have only the first 11 or 15. */
const statistics: readonly { name: string; help: string; factor?: number; gauge?: boolean }[] = [
  { name: "reads_completed_total", help: "The total number of reads completed successfully." },
  { name: "reads_merged_total", help: "The total number of reads merged." },
  { name: "read_bytes_total", help: "The total number of bytes read successfully.", factor: sectorBytes },
  {
    name: "read_time_seconds_total",
    help: "The total number of seconds spent by all reads.",
    factor: secondsPerMillisecond,
  },
  { name: "writes_completed_total", help: "The total number of writes completed successfully." },
  { name: "writes_merged_total", help: "The number of writes merged." },
  {
    name: "written_bytes_total",
    help: "The total number of bytes written successfully.",
    factor: sectorBytes,
  },
  {
    name: "write_time_seconds_total",
    help: "This is the total number of seconds spent by all writes.",
    factor: secondsPerMillisecond,
  },
  { name: "io_now", help: "The number of I/Os currently in progress.", gauge: true },
  { name: "io_time_seconds_total", help: "Total seconds spent doing I/Os.", factor: secondsPerMillisecond },
  {
    name: "io_time_weighted_seconds_total",
    help: "The weighted # of seconds spent doing I/Os.",
    factor: secondsPerMillisecond,
  },
  { name: "discards_completed_total", help: "The total number of discards completed successfully." },
  { name: "discards_merged_total", help: "The total number of discards merged." },
  { name: "discarded_sectors_total", help: "The total number of sectors discarded successfully." },
  {
    name: "discard_time_seconds_total",
    help: "This is the total number of seconds spent by all discards.",
    factor: secondsPerMillisecond,
  },
  { name: "flush_requests_total", help: "The total number of flush requests completed successfully" },
  {
    name: "flush_requests_time_seconds_total",
    help: "This is the total number of seconds spent by all flush requests.",
    factor: secondsPerMillisecond,
  },
];

const ataAttributes: readonly { property: string; name: string; help: string }[] = [
  { property: "ID_ATA_WRITE_CACHE", name: "write_cache", help: "ATA disk has a write cache." },
  {
    property: "ID_ATA_WRITE_CACHE_ENABLED",
    name: "write_cache_enabled",
    help: "ATA disk has its write cache enabled.",
  },
  {
    property: "ID_ATA_ROTATION_RATE_RPM",
    name: "rotation_rate_rpm",
    help: "ATA disk rotation rate in RPMs (0 for SSDs).",
  },
];

export function createDiskstatsCollector({ proc, sys, udev, options }: CollectorContext): Collector {
  const filter = new NameFilter(options.diskstatsDevice);
  return {
    collect(sink) {
      for (const line of linesOf(proc.read("diskstats"))) {
        const [major = "", minor = "", device = "", ...values] = fieldsOf(line);
        if (!filter.passes(device)) continue;
        for (const [index, { name, help, factor = 1, gauge }] of statistics.entries()) {
          if (index >= values.length) break;
          const metric = `node_disk_${name}`;
          const family = gauge ? sink.gauge(metric, help) : sink.counter(metric, help);
          family.add(numberIn("diskstats", values[index]) * factor, [["device", device]]);
        }
        addInfo(
          sink,
          { major, minor, device, rotational: isRotational(sys, device) },
          readProperties(udev, major, minor),
        );
      }
    },
  };
}

interface Device {
  readonly major: string;
  readonly minor: string;
  readonly device: string;
  readonly rotational: boolean;
}

function addInfo(
  sink: MetricSink,
  { major, minor, device, rotational }: Device,
  udev: Map<string, string>,
): void {
  const get = (property: string): string => udev.get(property) ?? "";
  sink.gauge("node_disk_info", "Info of /sys/block/<block_device>.").add(1, [
    ["device", device],
    ["major", major],
    ["minor", minor],
    ["path", get("ID_PATH")],
    ["wwn", get("ID_WWN")],
    ["model", get("ID_MODEL")],
    // The serial number printed on the disk comes first; virtio disks have only the last one.
    ["serial", get("SCSI_IDENT_SERIAL") || get("ID_SERIAL_SHORT") || get("ID_SERIAL")],
    ["revision", get("ID_REVISION")],
    ["rotational", rotational ? "1" : "0"],
  ]);
  if (get("ID_FS_TYPE") !== "") {
    sink.gauge("node_disk_filesystem_info", "Info about disk filesystem.").add(1, [
      ["device", device],
      ["type", get("ID_FS_TYPE")],
      ["usage", get("ID_FS_USAGE")],
      ["uuid", get("ID_FS_UUID")],
      ["version", get("ID_FS_VERSION")],
    ]);
  }
  if (get("DM_NAME") !== "") {
    sink.gauge("node_disk_device_mapper_info", "Info about disk device mapper.").add(1, [
      ["device", device],
      ["name", get("DM_NAME")],
      ["uuid", get("DM_UUID")],
      ["vg_name", get("DM_VG_NAME")],
      ["lv_name", get("DM_LV_NAME")],
      ["lv_layer", get("DM_LV_LAYER")],
    ]);
  }
  if (get("ID_ATA") === "") return;
  for (const { property, name, help } of ataAttributes) {
    const value = Number(udev.get(property) ?? NaN);
    if (!Number.isNaN(value)) sink.gauge(`node_disk_ata_${name}`, help).add(value, [["device", device]]);
  }
}

/** Device names hold `/` as `!` in sysfs. */
function isRotational(sys: FileTree, device: string): boolean {
  return sys.number(`block/${device.replaceAll("/", "!")}/queue/rotational`) === 1;
}

/** What udev knows about a block device; empty where there is no udev. */
function readProperties(udev: FileTree, major: string, minor: string): Map<string, string> {
  const properties = new Map<string, string>();
  for (const line of linesOf(udev.attribute(`b${major}:${minor}`) ?? "")) {
    const equals = line.indexOf("=");
    if (line.startsWith("E:") && equals > 0) properties.set(line.slice(2, equals), line.slice(equals + 1));
  }
  return properties;
}
