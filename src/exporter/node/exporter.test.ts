import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { createLogger, NarthexError, SimulatedClock } from "../../base/index.ts";
import {
  createNodeExporter,
  type NodeExporterOptions,
  nodeExporterFlags,
  parseNodeExporterFlags,
} from "./index.ts";

const root = mkdtempSync(join(tmpdir(), "narthex-node-"));
after(() => rmSync(root, { recursive: true }));

let trees = 0;

/** A directory with these files. */
function tree(files: Readonly<Record<string, string>>): string {
  const directory = join(root, String(trees++));
  mkdirSync(directory);
  for (const [name, text] of Object.entries(files)) write(join(directory, name), text);
  return directory;
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

interface Setup {
  readonly proc?: Readonly<Record<string, string>>;
  readonly sys?: Readonly<Record<string, string>>;
  readonly udev?: Readonly<Record<string, string>>;
  readonly rootfs?: Readonly<Record<string, string>>;
  readonly options?: Partial<NodeExporterOptions>;
}

/** The sample lines of one scrape of one collector, without those about the scrape itself. */
async function scrape(collector: string, setup: Setup): Promise<string[]> {
  const exporter = createNodeExporter({
    collectors: [collector],
    disableExporterMetrics: true,
    procPath: tree(setup.proc ?? {}),
    sysPath: tree(setup.sys ?? {}),
    udevDataPath: tree(setup.udev ?? {}),
    ...(setup.rootfs && { rootfsPath: tree(setup.rootfs) }),
    ...setup.options,
  });
  try {
    return samples(await exporter.collect());
  } finally {
    exporter.close();
  }
}

function samples(text: string): string[] {
  return text
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .filter((line) => !/^(node_scrape_|node_exporter_)/.test(line))
    .map((line) => line.replace(/^node_/, ""));
}

const cpuStat = `cpu  0 0 0 0 0 0 0 0 0 0
cpu0 1000 200 300 40000 500 60 70 80 90 100
intr 12345 1 2 3
ctxt 678
btime 1700000000
processes 9
procs_running 2
procs_blocked 1
softirq 55 1 2 3 4 5 6 7 8 9 10
`;

test("cpu: seconds by mode, guests, throttling by core and package", async () => {
  const sys = {
    "devices/system/cpu/isolated": "1,3-4\n",
    "devices/system/cpu/cpu0/topology/physical_package_id": "0\n",
    "devices/system/cpu/cpu0/topology/core_id": "7\n",
    "devices/system/cpu/cpu0/thermal_throttle/core_throttle_count": "5\n",
    "devices/system/cpu/cpu0/thermal_throttle/package_throttle_count": "6\n",
    "devices/system/cpu/cpu0/online": "1\n",
    "devices/system/cpu/cpu1/topology/physical_package_id": "0\n",
    "devices/system/cpu/cpu1/topology/core_id": "7\n",
    "devices/system/cpu/cpu1/online": "0\n",
  };
  assert.deepEqual(await scrape("cpu", { proc: { stat: cpuStat }, sys }), [
    'cpu_core_throttles_total{package="0",core="7"} 5',
    'cpu_guest_seconds_total{cpu="0",mode="user"} 0.9',
    'cpu_guest_seconds_total{cpu="0",mode="nice"} 1',
    'cpu_isolated{cpu="1"} 1',
    'cpu_isolated{cpu="3"} 1',
    'cpu_isolated{cpu="4"} 1',
    'cpu_online{cpu="0"} 1',
    'cpu_online{cpu="1"} 0',
    'cpu_package_throttles_total{package="0"} 6',
    'cpu_seconds_total{cpu="0",mode="user"} 10',
    'cpu_seconds_total{cpu="0",mode="nice"} 2',
    'cpu_seconds_total{cpu="0",mode="system"} 3',
    'cpu_seconds_total{cpu="0",mode="idle"} 400',
    'cpu_seconds_total{cpu="0",mode="iowait"} 5',
    'cpu_seconds_total{cpu="0",mode="irq"} 0.6',
    'cpu_seconds_total{cpu="0",mode="softirq"} 0.7',
    'cpu_seconds_total{cpu="0",mode="steal"} 0.8',
  ]);
});

test("cpu: counters do not fall, except when the CPU was plugged in anew", async () => {
  const procPath = tree({ stat: "cpu0 1000 0 0 5000 100 0 0 0 0 0\n" });
  const exporter = createNodeExporter({
    collectors: ["cpu"],
    disableExporterMetrics: true,
    cpuGuest: false,
    procPath,
  });
  const modes = async (): Promise<string[]> => {
    const lines = samples(await exporter.collect());
    return lines.filter((line) => /mode="(user|idle|iowait)"/.test(line)).map((line) => line.split(" ")[1]!);
  };
  assert.deepEqual(await modes(), ["10", "50", "1"]);
  write(join(procPath, "stat"), "cpu0 1100 0 0 4900 90 0 0 0 0 0\n");
  assert.deepEqual(await modes(), ["11", "50", "1"]);
  write(join(procPath, "stat"), "cpu0 5 0 0 10 0 0 0 0 0 0\n");
  assert.deepEqual(await modes(), ["0.05", "0.1", "0"]);
  exporter.close();
});

test("cpu: information on request", async () => {
  const cpuinfo = `processor\t: 0
vendor_id\t: GenuineIntel
cpu family\t: 6
model\t\t: 142
model name\t: Intel: fast
stepping\t: 10
microcode\t: 0xb4
cpu MHz\t\t: 799.998
cache size\t: 8192 KB
physical id\t: 0
core id\t\t: 1
flags\t\t: aes avx avx2
bugs\t\t: mds

`;
  const options = {
    collectors: ["cpu", "cpufreq"],
    cpuFlagsInclude: "^avx",
    cpuBugsInclude: "m",
    cpuGuest: false,
  };
  const lines = await scrape("cpu", { proc: { stat: "", cpuinfo }, options });
  assert.deepEqual(lines, [
    'cpu_bug_info{bug="mds"} 1',
    'cpu_flag_info{flag="avx"} 1',
    'cpu_flag_info{flag="avx2"} 1',
    'cpu_frequency_hertz{package="0",core="1",cpu="0"} 7.99998e+08',
    'cpu_info{package="0",core="1",cpu="0",vendor="GenuineIntel",family="6",model="142",model_name="Intel: fast",microcode="0xb4",stepping="10",cachesize="8192 KB"} 1',
  ]);
});

test("meminfo, loadavg, filefd, stat", async () => {
  const proc = {
    meminfo: "MemTotal:  16 kB\nActive(anon):  1 kB\nHugePages_Total:   3\n",
    loadavg: "0.21 0.37 1.5 1/719 19737\n",
    "sys/fs/file-nr": "1024\t0\t1631329\n",
    stat: cpuStat,
  };
  assert.deepEqual(await scrape("meminfo", { proc }), [
    "memory_Active_anon_bytes 1024",
    "memory_HugePages_Total 3",
    "memory_MemTotal_bytes 16384",
  ]);
  assert.deepEqual(await scrape("loadavg", { proc }), ["load1 0.21", "load15 1.5", "load5 0.37"]);
  assert.deepEqual(await scrape("filefd", { proc }), [
    "filefd_allocated 1024",
    "filefd_maximum 1.631329e+06",
  ]);
  assert.deepEqual(await scrape("stat", { proc, options: { statSoftirq: true } }), [
    "boot_time_seconds 1.7e+09",
    "context_switches_total 678",
    "forks_total 9",
    "intr_total 12345",
    "procs_blocked 1",
    "procs_running 2",
    ...["hi", "timer", "net_tx", "net_rx", "block", "block_iopoll", "tasklet", "sched", "hrtimer", "rcu"].map(
      (vector, index) => `softirqs_total{vector="${vector}"} ${index + 1}`,
    ),
  ]);
});

test("diskstats: as many statistics as the kernel has, and what udev knows", async () => {
  const proc = {
    diskstats: `   8  0 sda 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17
   8  1 sda1 1 1 1 1 1 1 1 1 1 1 1
   9  0 md0 1 2 3 4 5 6 7 8 9 10 11
`,
  };
  const sys = { "block/sda/queue/rotational": "1\n" };
  const udev = {
    "b8:0": `S:disk/by-id/x
E:ID_MODEL=Fast Disk
E:ID_SERIAL_SHORT=S1
E:ID_SERIAL=long
E:ID_ATA=1
E:ID_ATA_ROTATION_RATE_RPM=7200
E:ID_FS_TYPE=ext4
`,
  };
  const lines = await scrape("diskstats", { proc, sys, udev });
  const of = (device: string) => lines.filter((line) => line.includes(`device="${device}"`));
  assert.deepEqual(of("sda"), [
    'disk_ata_rotation_rate_rpm{device="sda"} 7200',
    'disk_discard_time_seconds_total{device="sda"} 0.015',
    'disk_discarded_sectors_total{device="sda"} 14',
    'disk_discards_completed_total{device="sda"} 12',
    'disk_discards_merged_total{device="sda"} 13',
    'disk_filesystem_info{device="sda",type="ext4",usage="",uuid="",version=""} 1',
    'disk_flush_requests_time_seconds_total{device="sda"} 0.017',
    'disk_flush_requests_total{device="sda"} 16',
    'disk_info{device="sda",major="8",minor="0",path="",wwn="",model="Fast Disk",serial="S1",revision="",rotational="1"} 1',
    'disk_io_now{device="sda"} 9',
    'disk_io_time_seconds_total{device="sda"} 0.01',
    'disk_io_time_weighted_seconds_total{device="sda"} 0.011',
    'disk_read_bytes_total{device="sda"} 1536',
    'disk_read_time_seconds_total{device="sda"} 0.004',
    'disk_reads_completed_total{device="sda"} 1',
    'disk_reads_merged_total{device="sda"} 2',
    'disk_write_time_seconds_total{device="sda"} 0.008',
    'disk_writes_completed_total{device="sda"} 5',
    'disk_writes_merged_total{device="sda"} 6',
    'disk_written_bytes_total{device="sda"} 3584',
  ]);
  assert.equal(of("md0").length, 12);
  assert.equal(of("sda1").length, 0);
});

test("netdev: from the summary, in detail, and by device", async () => {
  const proc = {
    "net/dev": `Inter-|   Receive   |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes packets errs drop fifo colls carrier compressed
    lo: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16
eth0:1:100 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16
`,
  };
  const sys = { "class/net/lo/statistics/rx_nohandler": "17\n", "class/net/lo/statistics/tx_bytes": "9\n" };
  const lines = await scrape("netdev", { proc, sys });
  assert.equal(lines.length, 33);
  assert.ok(lines.includes('network_receive_bytes_total{device="eth0:1"} 100'));
  assert.ok(lines.includes('network_transmit_compressed_total{device="lo"} 16'));
  assert.ok(lines.includes('network_receive_nohandler_total{device="lo"} 17'));
  const detailed = {
    netdevDetailed: true,
    netdevDevice: { include: "^lo$", exclude: "" },
    netdevLabelIfAlias: true,
  };
  assert.deepEqual(await scrape("netdev", { proc, sys, options: detailed }), [
    'network_receive_nohandler_total{device="lo",ifalias=""} 17',
    'network_transmit_bytes_total{device="lo",ifalias=""} 9',
  ]);
});

test("netstat, vmstat: untyped fields chosen by pattern", async () => {
  const proc = {
    "net/netstat": "TcpExt: SyncookiesSent ListenDrops Other\nTcpExt: 1 2 3\nIpExt: InOctets\nIpExt: 4\n",
    "net/snmp": "Tcp: InSegs MaxConn\nTcp: 5 -1\n",
    "net/snmp6": "Udp6InErrors    \t6\nIp6Other 7\n",
    vmstat: "nr_free_pages 1\npgfault 2\noom_kill 3\n",
  };
  assert.deepEqual(await scrape("netstat", { proc }), [
    "netstat_IpExt_InOctets 4",
    "netstat_TcpExt_ListenDrops 2",
    "netstat_TcpExt_SyncookiesSent 1",
    "netstat_Tcp_InSegs 5",
    "netstat_Udp6_InErrors 6",
  ]);
  assert.deepEqual(await scrape("vmstat", { proc }), ["vmstat_oom_kill 3", "vmstat_pgfault 2"]);
});

test("sockstat, pressure, softnet, schedstat, udp_queues", async () => {
  const proc = {
    "net/sockstat": "sockets: used 5\nTCP: inuse 1 orphan 2 tw 3 alloc 4 mem 5\nFRAG: inuse 0 memory 6\n",
    "net/sockstat6": "TCP6: inuse 7\n",
    "pressure/cpu": "some avg10=0.00 avg60=0.00 avg300=0.00 total=1500000\n",
    "pressure/memory": "some avg10=0 avg60=0 avg300=0 total=1\nfull avg10=0 avg60=0 avg300=0 total=2\n",
    "pressure/irq": "full avg10=0 avg60=0 avg300=0 total=3\n",
    "net/softnet_stat": "0000000a 1 2 0 0 0 0 0 3 4 5 6 00000002\n",
    schedstat: "version 15\ncpu0 1 2 3 4 5 6 7000000000 8000000000 9\n",
    "net/udp":
      "sl local\n 0: 0100007F:0016 00000000:0000 0A 00000010:00000001 00:0 0 0 0 1 1 x 0\n 1: x y 0A 00000001:00000002 z\n",
  };
  const sockstat = await scrape("sockstat", { proc });
  assert.deepEqual(
    sockstat.filter((line) => !line.includes("mem_bytes")),
    [
      "sockstat_FRAG_inuse 0",
      "sockstat_FRAG_memory 6",
      "sockstat_TCP6_inuse 7",
      "sockstat_TCP_alloc 4",
      "sockstat_TCP_inuse 1",
      "sockstat_TCP_mem 5",
      "sockstat_TCP_orphan 2",
      "sockstat_TCP_tw 3",
      "sockstat_sockets_used 5",
    ],
  );
  const bytes = Number(sockstat.find((line) => line.includes("mem_bytes"))?.split(" ")[1]);
  assert.ok(bytes >= 5 * 4096 && bytes % (5 * 4096) === 0, String(bytes));
  assert.deepEqual(await scrape("pressure", { proc }), [
    "pressure_cpu_waiting_seconds_total 1.5",
    "pressure_irq_stalled_seconds_total 3e-06",
    "pressure_memory_stalled_seconds_total 2e-06",
    "pressure_memory_waiting_seconds_total 1e-06",
  ]);
  assert.deepEqual(await scrape("softnet", { proc }), [
    'softnet_backlog_len{cpu="2"} 6',
    'softnet_cpu_collision_total{cpu="2"} 3',
    'softnet_dropped_total{cpu="2"} 1',
    'softnet_flow_limit_count_total{cpu="2"} 5',
    'softnet_processed_total{cpu="2"} 10',
    'softnet_received_rps_total{cpu="2"} 4',
    'softnet_times_squeezed_total{cpu="2"} 2',
  ]);
  assert.deepEqual(await scrape("schedstat", { proc }), [
    'schedstat_running_seconds_total{cpu="0"} 7',
    'schedstat_timeslices_total{cpu="0"} 9',
    'schedstat_waiting_seconds_total{cpu="0"} 8',
  ]);
  assert.deepEqual(await scrape("udp_queues", { proc }), [
    'udp_queues{queue="tx",ip="v4"} 17',
    'udp_queues{queue="rx",ip="v4"} 3',
  ]);
});

test("uname, time, os, conntrack, arp, entropy, netclass", async () => {
  const kernel = { ostype: "Linux", osrelease: "6.1", version: "#1", hostname: "host", domainname: "(none)" };
  const proc = {
    ...Object.fromEntries(Object.entries(kernel).map(([name, text]) => [`sys/kernel/${name}`, `${text}\n`])),
    "sys/net/netfilter/nf_conntrack_count": "123\n",
    "sys/net/netfilter/nf_conntrack_max": "65536\n",
    "net/stat/nf_conntrack": "entries  found drop search_restart\n0000021b  a 1 1\n0000021b  6 2 1\n",
    "net/arp":
      "IP address HW type Flags HW address Mask Device\n10.0.0.1 0x1 0x2 a * eth0\n10.0.0.2 0x1 0x2 b * eth0\n",
    "sys/kernel/random/entropy_avail": "256\n",
    "sys/kernel/random/poolsize": "256\n",
  };
  const sys = {
    "devices/system/clocksource/clocksource0/available_clocksource": "tsc hpet \n",
    "devices/system/clocksource/clocksource0/current_clocksource": "tsc\n",
    "class/net/bonding_masters": "\n",
    "class/net/eth0/ifindex": "2\n",
    "class/net/eth0/flags": "0x1003\n",
    "class/net/eth0/operstate": "up\n",
    "class/net/eth0/speed": "1000\n",
    "class/net/eth0/carrier_changes": "2\n",
  };
  const [uname] = await scrape("uname", { proc });
  assert.match(
    uname!,
    /^uname_info\{sysname="Linux",release="6.1",version="#1",machine="\w+",nodename="host",domainname="\(none\)"\} 1$/,
  );
  const time = await scrape("time", { sys });
  assert.deepEqual(time.slice(0, 3), [
    'time_clocksource_available_info{device="0",clocksource="tsc"} 1',
    'time_clocksource_available_info{device="0",clocksource="hpet"} 1',
    'time_clocksource_current_info{device="0",clocksource="tsc"} 1',
  ]);
  assert.match(time.at(-1)!, /^time_zone_offset_seconds\{time_zone="[^"]+"\} -?\d/);
  const release = 'NAME="Some \\"OS\\""\nID=some\nVERSION_ID=\'12.4.1\'\nSUPPORT_END=2030-01-01\n';
  assert.deepEqual(await scrape("os", { rootfs: { "usr/lib/os-release": release } }), [
    'os_info{build_id="",id="some",id_like="",image_id="",image_version="",name="Some \\"OS\\"",pretty_name="",variant="",variant_id="",version="",version_codename="",version_id="12.4.1"} 1',
    "os_support_end_timestamp_seconds 1.893456e+09",
    'os_version{id="some",id_like="",name="Some \\"OS\\""} 12.4',
  ]);
  const conntrack = await scrape("conntrack", { proc });
  assert.ok(
    conntrack.includes("nf_conntrack_stat_found 16") &&
      conntrack.includes("nf_conntrack_stat_search_restart 2"),
  );
  assert.deepEqual(await scrape("arp", { proc }), ['arp_entries{device="eth0"} 2']);
  assert.deepEqual(await scrape("entropy", { proc }), [
    "entropy_available_bits 256",
    "entropy_pool_size_bits 256",
  ]);
  assert.deepEqual(await scrape("netclass", { sys }), [
    'network_carrier_changes_total{device="eth0"} 2',
    'network_flags{device="eth0"} 4099',
    'network_iface_id{device="eth0"} 2',
    'network_info{device="eth0",address="",broadcast="",duplex="",operstate="up",adminstate="up",ifalias=""} 1',
    'network_speed_bytes{device="eth0"} 1.25e+08',
    'network_up{device="eth0"} 1',
  ]);
});

test("a collector that fails or has no data does not fail the scrape", async () => {
  const lines: string[] = [];
  const log = createLogger({ write: (line) => lines.push(line) });
  const exporter = createNodeExporter(
    {
      collectors: ["loadavg", "bonding", "filefd"],
      procPath: tree({ loadavg: "a b c\n", "sys/fs/file-nr": "1 0 2\n" }),
      sysPath: tree({}),
      disableExporterMetrics: true,
    },
    { log, clock: new SimulatedClock() },
  );
  const text = await exporter.collect();
  assert.deepEqual(
    text.split("\n").filter((line) => line.startsWith("node_scrape_collector_success")),
    ["loadavg", "bonding", "filefd"].map(
      (name) => `node_scrape_collector_success{collector="${name}"} ${name === "filefd" ? 1 : 0}`,
    ),
  );
  assert.match(text, /node_filefd_maximum 2\n/);
  assert.equal(lines.length, 1);
  assert.match(lines[0]!, /name=loadavg .*expected a number in loadavg, got \\"a\\"/);
  exporter.close();
});

test("a request may choose collectors", async () => {
  const exporter = createNodeExporter({ collectors: ["loadavg", "uname"], disableExporterMetrics: true });
  const handle = async (query: string): Promise<string> => {
    const { status, body } = await exporter.handle(new URLSearchParams(query));
    return status === 200
      ? [...body.matchAll(/success\{collector="(\w+)"/g)].map(([, name]) => name).join()
      : `${status} ${body}`;
  };
  assert.equal(await handle(""), "loadavg,uname");
  assert.equal(await handle("collect[]=uname"), "uname");
  assert.equal(await handle("exclude[]=uname"), "loadavg");
  assert.equal(
    await handle("collect[]=uname&exclude[]=cpu"),
    "400 Combined collect and exclude queries are not allowed.",
  );
  assert.match(await handle("collect[]=cpu"), /^400 .*disabled collector: cpu$/);
  assert.match(await handle("collect[]=nope"), /^400 .*missing collector: nope$/);
  exporter.close();
});

test("no more requests at once than allowed", async () => {
  const exporter = createNodeExporter({ collectors: ["textfile"], requestsMax: 1 });
  const [first, second] = await Promise.all([
    exporter.handle(new URLSearchParams()),
    exporter.handle(new URLSearchParams()),
  ]);
  assert.equal(first.status, 200);
  assert.equal(second.status, 503);
  const { body } = await exporter.handle(new URLSearchParams());
  assert.match(body, /^promhttp_metric_handler_requests_total\{code="503"\} 1$/m);
  assert.match(body, /^process_cpu_seconds_total /m);
  exporter.close();
});

test("flags are upstream's", () => {
  const { options, listenAddresses, telemetryPath, warnings } = parseNodeExporterFlags([
    "--web.listen-address=:9101",
    "--web.listen-address",
    "127.0.0.1:9102",
    "--web.telemetry-path=/m",
    "--no-collector.cpu",
    "--no-collector.zfs",
    "--collector.systemd",
    "--collector.textfile.directory=/a",
    "--collector.textfile.directory=/b*",
    "--collector.filesystem.ignored-mount-points=^/x",
    "--collector.netdev.device-include=^eth",
  ]);
  assert.deepEqual(listenAddresses, [":9101", "127.0.0.1:9102"]);
  assert.equal(telemetryPath, "/m");
  assert.ok(!options.collectors.includes("cpu") && options.collectors.includes("meminfo"));
  assert.deepEqual(options.textfileDirectories, ["/a", "/b*"]);
  assert.deepEqual(options.filesystemMountPoint, { include: "", exclude: "^/x" });
  assert.deepEqual(options.netdevDevice, { include: "^eth", exclude: "" });
  assert.deepEqual(warnings, ["there is no systemd collector: --collector.systemd has no effect"]);

  const few = parseNodeExporterFlags(["--collector.disable-defaults", "--collector.cpu", "--collector.time"]);
  assert.deepEqual(few.options.collectors, ["cpu", "time"]);
  const included = parseNodeExporterFlags(["--collector.diskstats.device-include=sda"]).options
    .diskstatsDevice;
  assert.deepEqual(included, { include: "sda", exclude: "" });
  assert.equal(new Set(nodeExporterFlags.map(({ name }) => name)).size, nodeExporterFlags.length);
});

test("faults in flags and options are named", () => {
  assert.throws(
    () =>
      parseNodeExporterFlags(["--collector.netdev.device-include=a", "--collector.netdev.device-exclude=b"]),
    /--collector.netdev.device-exclude and --collector.netdev.device-include are mutually exclusive/,
  );
  assert.throws(
    () => parseNodeExporterFlags(["--web.max-requests=many"]),
    /invalid value "many" for flag .--web.max-requests/,
  );
  assert.throws(() => createNodeExporter({ vmstatFields: "(" }), NarthexError);
  assert.throws(() => createNodeExporter({ collectors: ["nope"] }), /missing collector: nope/);
});
