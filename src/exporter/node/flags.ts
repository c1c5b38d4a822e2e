import {
  boolFlag as bool,
  type FlagDefinition,
  type Flags,
  listFlag as list,
  NarthexError,
  parseFlags,
  textFlag as text,
} from "../../base/index.ts";
import { parseDuration } from "../../model/index.ts";
import { collectorFactories, missingCollectors } from "./collectors.ts";
import type { IncludeExclude, NodeExporterOptions } from "./options.ts";

/** Names that flags have had before. */
const renamed: ReadonlyMap<string, string> = new Map([
  ["collector.diskstats.ignored-devices", "collector.diskstats.device-exclude"],
  ["collector.filesystem.ignored-mount-points", "collector.filesystem.mount-points-exclude"],
  ["collector.filesystem.ignored-fs-types", "collector.filesystem.fs-types-exclude"],
  ["collector.netdev.device-whitelist", "collector.netdev.device-include"],
  ["collector.netdev.device-blacklist", "collector.netdev.device-exclude"],
]);

/** Flags of the node exporter, with upstream's names and defaults. */
export const nodeExporterFlags: readonly FlagDefinition[] = [
  list("web.listen-address", [":9100"], "Address to listen on."),
  text("web.telemetry-path", "/metrics", "Path under which metrics are exposed."),
  bool("web.disable-exporter-metrics", false, "Leave out metrics about the exporter itself."),
  text("web.max-requests", "40", "Most scrapes at once; 0 means no limit."),
  text("web.config.file", "", "File that enables TLS or authentication."),
  text("log.level", "info", "Lowest level to log: debug, info, warn, error."),
  text("log.format", "logfmt", "Format of log lines: logfmt or json."),
  text("path.procfs", "/proc", "Where procfs is mounted."),
  text("path.sysfs", "/sys", "Where sysfs is mounted."),
  text("path.rootfs", "/", "Where the root of the machine's file systems is mounted."),
  text("path.udev.data", "/run/udev/data", "Directory of udev's data."),
  bool(
    "collector.disable-defaults",
    false,
    "Switch off all collectors but those switched on by their flags.",
  ),
  ...[...collectorFactories.keys()].map((name) => bool(`collector.${name}`, true, `The ${name} collector.`)),
  ...missingCollectors.map((name) => bool(`collector.${name}`, false, "", true)),
  text("collector.arp.device-include", "", "Pattern of devices to include."),
  text("collector.arp.device-exclude", "", "Pattern of devices to exclude."),
  bool("collector.cpu.guest", true, "Expose node_cpu_guest_seconds_total."),
  bool("collector.cpu.info", false, "Expose node_cpu_info."),
  text("collector.cpu.info.flags-include", "", "Pattern of CPU flags to expose."),
  text("collector.cpu.info.bugs-include", "", "Pattern of CPU bugs to expose."),
  text("collector.diskstats.device-include", "", "Pattern of devices to include."),
  text(
    "collector.diskstats.device-exclude",
    String.raw`^(z?ram|loop|fd|(h|s|v|xv)d[a-z]|nvme\d+n\d+p)\d+$`,
    "Pattern of devices to exclude.",
  ),
  text("collector.filesystem.mount-points-include", "", "Pattern of mount points to include."),
  text(
    "collector.filesystem.mount-points-exclude",
    "^/(dev|proc|run/credentials/.+|sys|var/lib/docker/.+|var/lib/containers/storage/.+)($|/)",
    "Pattern of mount points to exclude.",
  ),
  text("collector.filesystem.fs-types-include", "", "Pattern of file system types to include."),
  text(
    "collector.filesystem.fs-types-exclude",
    "^(autofs|binfmt_misc|bpf|cgroup2?|configfs|debugfs|devpts|devtmpfs|fusectl|hugetlbfs|iso9660|mqueue|nsfs|overlay|proc|procfs|pstore|rpc_pipefs|securityfs|selinuxfs|squashfs|erofs|sysfs|tracefs)$",
    "Pattern of file system types to exclude.",
  ),
  text("collector.filesystem.mount-timeout", "5s", "How long a mount may take to answer.", true),
  text("collector.netclass.ignored-devices", "^$", "Pattern of devices to ignore."),
  bool("collector.netclass.ignore-invalid-speed", false, "Leave out speeds that drivers give as negative."),
  text("collector.netdev.device-include", "", "Pattern of devices to include."),
  text("collector.netdev.device-exclude", "", "Pattern of devices to exclude."),
  bool("collector.netdev.address-info", false, "Expose node_network_address_info."),
  bool("collector.netdev.enable-detailed-metrics", false, "Expose all counters, under names of their own."),
  bool("collector.netdev.label-ifalias", false, "Add the label ifalias."),
  text(
    "collector.netstat.fields",
    "^(.*_(InErrors|InErrs)|Ip_Forwarding|Ip(6|Ext)_(InOctets|OutOctets)|Icmp6?_(InMsgs|OutMsgs)|TcpExt_(Listen.*|Syncookies.*|TCPSynRetrans|TCPTimeouts|TCPOFOQueue|TCPRcvQDrop)|Tcp_(ActiveOpens|InSegs|OutSegs|OutRsts|PassiveOpens|RetransSegs|CurrEstab)|Udp6?_(InDatagrams|OutDatagrams|NoPorts|RcvbufErrors|SndbufErrors))$",
    "Pattern of fields to expose.",
  ),
  bool("collector.stat.softirq", false, "Expose node_softirqs_total."),
  list("collector.textfile.directory", [], "Directory to read *.prom files from; may hold *, ? and [a-z]."),
  text("collector.vmstat.fields", "^(oom_kill|pgpg|pswp|pg.*fault).*", "Pattern of fields to expose."),
  ...[...renamed.keys()].map((name) => text(name, "", "", true)),
  // These choose between ways to the same numbers, or tune a Go runtime.
  bool("collector.arp.netlink", true, "", true),
  bool("collector.netdev.netlink", true, "", true),
  bool("collector.netclass.netlink", false, "", true),
  text("collector.filesystem.stat-workers", "4", "", true),
  bool("web.systemd-socket", false, "", true),
  text("runtime.gomaxprocs", "1", "", true),
];

/** What a command line asks for: the exporter's options, and what is left to the program that serves it. */
export interface NodeExporterCommand {
  readonly options: NodeExporterOptions;
  readonly listenAddresses: readonly string[];
  readonly telemetryPath: string;
  readonly webConfigFile: string;
  readonly logLevel: string;
  readonly logFormat: string;
  /** Things asked for that cannot be had, for the log. */
  readonly warnings: readonly string[];
}

/** Throws `bad_data` naming the flag at fault. */
export function parseNodeExporterFlags(args: readonly string[]): NodeExporterCommand {
  const flags = parseFlags(nodeExporterFlags, args);
  const given = (name: string): boolean =>
    args.some((arg) => arg === `--${name}` || arg.startsWith(`--${name}=`) || arg === `--no-${name}`);
  const collectors = [...collectorFactories.keys()].filter((name) => {
    const flag = `collector.${name}`;
    return flags.bool(flag) && (given(flag) || !flags.bool("collector.disable-defaults"));
  });
  const pair = (prefix: string): IncludeExclude => includeExclude(flags, prefix, given);
  const options: NodeExporterOptions = {
    collectors,
    disableExporterMetrics: flags.bool("web.disable-exporter-metrics"),
    requestsMax: flags.count("web.max-requests"),
    procPath: flags.text("path.procfs"),
    sysPath: flags.text("path.sysfs"),
    rootfsPath: flags.text("path.rootfs"),
    udevDataPath: flags.text("path.udev.data"),
    arpDevice: pair("collector.arp.device"),
    cpuGuest: flags.bool("collector.cpu.guest"),
    cpuInfo: flags.bool("collector.cpu.info"),
    cpuFlagsInclude: flags.text("collector.cpu.info.flags-include"),
    cpuBugsInclude: flags.text("collector.cpu.info.bugs-include"),
    diskstatsDevice: pair("collector.diskstats.device"),
    filesystemMountPoint: pair("collector.filesystem.mount-points"),
    filesystemType: pair("collector.filesystem.fs-types"),
    filesystemTimeoutMs: flags.read("collector.filesystem.mount-timeout", parseDuration),
    netclassIgnoredDevices: flags.text("collector.netclass.ignored-devices"),
    netclassIgnoreInvalidSpeed: flags.bool("collector.netclass.ignore-invalid-speed"),
    netdevDevice: pair("collector.netdev.device"),
    netdevAddressInfo: flags.bool("collector.netdev.address-info"),
    netdevDetailed: flags.bool("collector.netdev.enable-detailed-metrics"),
    netdevLabelIfAlias: flags.bool("collector.netdev.label-ifalias"),
    netstatFields: flags.text("collector.netstat.fields"),
    statSoftirq: flags.bool("collector.stat.softirq"),
    textfileDirectories: flags.list("collector.textfile.directory"),
    vmstatFields: flags.text("collector.vmstat.fields"),
  };
  return {
    options,
    listenAddresses: flags.list("web.listen-address"),
    telemetryPath: flags.text("web.telemetry-path"),
    webConfigFile: flags.text("web.config.file"),
    logLevel: flags.text("log.level"),
    logFormat: flags.text("log.format"),
    warnings: missingCollectors
      .filter((name) => flags.bool(`collector.${name}`))
      .map((name) => `there is no ${name} collector: --collector.${name} has no effect`),
  };
}

/** The defaults, as without any flag. */
export const defaultNodeExporterOptions: NodeExporterOptions = parseNodeExporterFlags([]).options;

/** Giving an include pattern switches off the default exclude pattern; giving both is an error. */
function includeExclude(flags: Flags, prefix: string, given: (name: string) => boolean): IncludeExclude {
  const value = (name: string): { value: string; name: string; given: boolean } => {
    const old = [...renamed].find(([from, to]) => to === name && given(from))?.[0];
    if (old === undefined) return { value: flags.text(name), name, given: given(name) };
    if (given(name)) throw new NarthexError("bad_data", `--${old} and --${name} are mutually exclusive`);
    return { value: flags.text(old), name: old, given: true };
  };
  const include = value(`${prefix}-include`);
  const exclude = value(`${prefix}-exclude`);
  if (include.value === "") return { include: "", exclude: exclude.value };
  if (exclude.given && exclude.value !== "") {
    throw new NarthexError("bad_data", `--${exclude.name} and --${include.name} are mutually exclusive`);
  }
  return { include: include.value, exclude: "" };
}
