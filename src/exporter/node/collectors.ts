import type { Collector, CollectorContext } from "./collector.ts";
import { createArpCollector } from "./collector/arp.ts";
import { createBondingCollector } from "./collector/bonding.ts";
import { createConntrackCollector } from "./collector/conntrack.ts";
import { createCpuCollector } from "./collector/cpu.ts";
import { createCpufreqCollector } from "./collector/cpufreq.ts";
import { createDiskstatsCollector } from "./collector/diskstats.ts";
import { createDmiCollector } from "./collector/dmi.ts";
import { createEntropyCollector } from "./collector/entropy.ts";
import { createFilefdCollector } from "./collector/filefd.ts";
import { createFilesystemCollector } from "./collector/filesystem.ts";
import { createKernelHungCollector } from "./collector/kernel-hung.ts";
import { createLoadavgCollector } from "./collector/loadavg.ts";
import { createMeminfoCollector } from "./collector/meminfo.ts";
import { createNetclassCollector } from "./collector/netclass.ts";
import { createNetdevCollector } from "./collector/netdev.ts";
import { createNetstatCollector } from "./collector/netstat.ts";
import { createOsCollector } from "./collector/os.ts";
import { createPressureCollector } from "./collector/pressure.ts";
import { createSchedstatCollector } from "./collector/schedstat.ts";
import { createSelinuxCollector } from "./collector/selinux.ts";
import { createSockstatCollector } from "./collector/sockstat.ts";
import { createSoftnetCollector } from "./collector/softnet.ts";
import { createStatCollector } from "./collector/stat.ts";
import { createTextfileCollector } from "./collector/textfile.ts";
import { createTimeCollector } from "./collector/time.ts";
import { createUdpQueuesCollector } from "./collector/udp-queues.ts";
import { createUnameCollector } from "./collector/uname.ts";
import { createVmstatCollector } from "./collector/vmstat.ts";

/** All collectors there are; each is on unless switched off. */
export const collectorFactories: ReadonlyMap<string, (context: CollectorContext) => Collector> = new Map([
  ["arp", createArpCollector],
  ["bonding", createBondingCollector],
  ["conntrack", createConntrackCollector],
  ["cpu", createCpuCollector],
  ["cpufreq", createCpufreqCollector],
  ["diskstats", createDiskstatsCollector],
  ["dmi", createDmiCollector],
  ["entropy", createEntropyCollector],
  ["filefd", createFilefdCollector],
  ["filesystem", createFilesystemCollector],
  ["kernel_hung", createKernelHungCollector],
  ["loadavg", createLoadavgCollector],
  ["meminfo", createMeminfoCollector],
  ["netclass", createNetclassCollector],
  ["netdev", createNetdevCollector],
  ["netstat", createNetstatCollector],
  ["os", createOsCollector],
  ["pressure", createPressureCollector],
  ["schedstat", createSchedstatCollector],
  ["selinux", createSelinuxCollector],
  ["sockstat", createSockstatCollector],
  ["softnet", createSoftnetCollector],
  ["stat", createStatCollector],
  ["textfile", createTextfileCollector],
  ["time", createTimeCollector],
  ["udp_queues", createUdpQueuesCollector],
  ["uname", createUnameCollector],
  ["vmstat", createVmstatCollector],
]);

/** Upstream's other collectors, so that a command line that switches them off, or one on, still starts. */
export const missingCollectors: readonly string[] = [
  "bcache",
  "bcachefs",
  "btrfs",
  "buddyinfo",
  "cgroups",
  "cpu_vulnerabilities",
  "dmmultipath",
  "drbd",
  "drm",
  "edac",
  "ethtool",
  "fibrechannel",
  "hwmon",
  "infiniband",
  "interrupts",
  "ipvs",
  "ksmd",
  "lnstat",
  "logind",
  "mdadm",
  "meminfo_numa",
  "mountstats",
  "network_route",
  "nfs",
  "nfsd",
  "ntp",
  "nvme",
  "nvmesubsystem",
  "pcidevice",
  "perf",
  "powersupplyclass",
  "processes",
  "qdisc",
  "rapl",
  "runit",
  "slabinfo",
  "softirqs",
  "supervisord",
  "swap",
  "sysctl",
  "systemd",
  "tapestats",
  "tcpstat",
  "thermal_zone",
  "timex",
  "watchdog",
  "wifi",
  "xfrm",
  "xfs",
  "zfs",
  "zoneinfo",
];
