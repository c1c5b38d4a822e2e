/** What the home page asks about a machine, in PromQL, and how the answers become named columns. */
import { quote, type Labels } from "../base/labels.ts";
import type { Unit } from "../base/unit.ts";
import type { Column, SeriesColumn } from "../chart/data.ts";

export interface Machine {
  instance: string;
  job: string;
  /** Empty when the exporter does not tell. */
  nodename: string;
  release: string;
}

export interface NamedColumn {
  name: string;
  values: Column;
  /** Which colour of the palette: the same thing has the same colour at all times. */
  color: number;
  /** 0..1, where the chart's own does not fit. */
  fillOpacity?: number;
}

export interface LiveChart {
  title: string;
  unit: Unit;
  stacked?: boolean;
  /** Columns below zero are the other direction. */
  mirrored?: boolean;
  reach?: { min?: number; max?: number };
  /** `where` holds the machine's matchers, `window` a duration for rate(). */
  expr: (where: string, window: string) => string;
  columns: (series: readonly SeriesColumn[]) => NamedColumn[];
  /** What it means that there is nothing. */
  whenEmpty: string;
}

/** Matchers for one machine, for inside the braces. */
export const whereMachine = ({ instance, job }: Machine): string =>
  `instance=${quote(instance)},job=${quote(job)}`;

/** Finds the machines: by name where the exporter tells one, else by any exporter's clock. */
export const machinesExpr =
  "count by (instance, job, nodename, release) (node_uname_info) or count by (instance, job) (node_time_seconds)";

export function readMachine(labels: Labels): Machine {
  const { instance = "", job = "", nodename = "", release = "" } = labels;
  return { instance, job, nodename, release };
}

/** The machine the server runs on, as well as one can tell, else the first. */
export function thisMachine(machines: readonly Machine[], hostname: string | undefined): Machine | undefined {
  return (
    machines.find(({ nodename }) => nodename !== "" && nodename === hostname) ??
    machines.find(({ instance }) => /^(localhost|127\.|\[::1\])/.test(instance)) ??
    machines[0]
  );
}

const physicalDisks = 'device!~"(loop|ram|zram|dm-|md|sr|fd|nbd).*"';
const outsideNetworks = 'device!~"lo|(veth|docker|br-|cni|flannel|cali|virbr|tap|cilium|lxc).*"';

const isQuiet = (values: Column): boolean => values.every((value) => value === null || value === 0);

/** Columns in a fixed order, colours with it. What is zero all the time is left out, but for the first `kept`. */
function inOrder(
  series: readonly SeriesColumn[],
  label: string,
  order: readonly string[],
  kept: number,
): NamedColumn[] {
  const named = series.map(({ labels, values }) => ({ name: labels[label] ?? "", values }));
  const unordered = named.map(({ name }) => name).filter((name) => !order.includes(name));
  const ranks = [...order, ...unordered.sort((a, b) => a.localeCompare(b))];
  return named
    .map((column) => ({ ...column, color: ranks.indexOf(column.name) }))
    .filter(({ color, values }) => color < kept || !isQuiet(values))
    .sort((a, b) => a.color - b.color);
}

/** The largest columns of a machine with very many devices. */
const devicesMax = 6;

/** For each device one column up and one down; the busiest first, idle ones not at all. */
function bothWays(series: readonly SeriesColumn[], upName: string, downName: string): NamedColumn[] {
  const traffic = new Map<string, number>();
  for (const { labels, values } of series) {
    const sum = values.reduce<number>((total, value) => total + (value ?? 0), 0);
    traffic.set(labels["device"] ?? "", (traffic.get(labels["device"] ?? "") ?? 0) + sum);
  }
  const busiest = [...traffic].sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0]));
  return busiest
    .filter(([, sum], rank) => rank === 0 || (sum > 0 && rank < devicesMax))
    .flatMap(([device], rank) =>
      [upName, downName].flatMap((way) =>
        series
          .filter(({ labels }) => labels["device"] === device && labels["way"] === way)
          .map(({ values }) => ({
            name: `${device} ${way}`,
            color: rank * 2 + (way === upName ? 0 : 1),
            values: way === upName ? values : values.map((value) => (value === null ? null : -value)),
          })),
      ),
    );
}

const tagged = (expr: string, label: string, value: string): string =>
  `label_replace(${expr}, "${label}", "${value}", "", "")`;

export const liveCharts: readonly LiveChart[] = [
  {
    title: "CPU",
    unit: "percent",
    stacked: true,
    reach: { min: 0, max: 1 },
    expr: (where, window) =>
      `sum by (mode) (rate(node_cpu_seconds_total{${where},mode!="idle"}[${window}])) / scalar(count(node_cpu_seconds_total{${where},mode="idle"}))`,
    columns: (series) =>
      inOrder(series, "mode", ["user", "system", "iowait", "nice", "softirq", "irq", "steal"], 3),
    whenEmpty: "The exporter reports no CPU time.",
  },
  {
    title: "Memory",
    unit: "bytes",
    stacked: true,
    reach: { min: 0 },
    expr: (where) =>
      `{__name__=~"node_memory_(MemTotal|MemFree|Buffers|Cached|SReclaimable)_bytes",${where}}`,
    columns: memoryColumns,
    whenEmpty: "The exporter reports no memory.",
  },
  {
    title: "Load",
    unit: "none",
    reach: { min: 0 },
    expr: (where) => `{__name__=~"node_load(1|5|15)",${where}}`,
    columns: (series) =>
      inOrder(series, "__name__", ["node_load1", "node_load5", "node_load15"], 3).map((column) => ({
        ...column,
        name: `${column.name.slice("node_load".length)} min`,
      })),
    whenEmpty: "The exporter reports no load.",
  },
  {
    title: "Pressure",
    unit: "percent",
    reach: { min: 0 },
    expr: (where, window) =>
      [
        ["cpu_waiting", "CPU"],
        ["io_waiting", "IO some"],
        ["io_stalled", "IO all"],
        ["memory_waiting", "memory some"],
        ["memory_stalled", "memory all"],
      ]
        .map(([metric, kind]) =>
          tagged(`rate(node_pressure_${metric}_seconds_total{${where}}[${window}])`, "kind", kind!),
        )
        .join(" or "),
    columns: (series) =>
      inOrder(series, "kind", ["CPU", "IO some", "IO all", "memory some", "memory all"], 2),
    whenEmpty: "This machine's kernel does not report pressure.",
  },
  {
    title: "Disk throughput",
    unit: "bytes/s",
    mirrored: true,
    expr: (where, window) =>
      `${tagged(`rate(node_disk_read_bytes_total{${where},${physicalDisks}}[${window}])`, "way", "read")} or ` +
      tagged(`rate(node_disk_written_bytes_total{${where},${physicalDisks}}[${window}])`, "way", "written"),
    columns: (series) => bothWays(series, "read", "written"),
    whenEmpty: "The exporter reports no disks.",
  },
  {
    title: "Disk busy",
    unit: "percent",
    reach: { min: 0 },
    expr: (where, window) => `rate(node_disk_io_time_seconds_total{${where},${physicalDisks}}[${window}])`,
    columns: (series) => inOrder(series, "device", [], 1).slice(0, devicesMax),
    whenEmpty: "The exporter reports no disks.",
  },
  {
    title: "Network",
    unit: "bytes/s",
    mirrored: true,
    expr: (where, window) =>
      `${tagged(`rate(node_network_receive_bytes_total{${where},${outsideNetworks}}[${window}])`, "way", "received")} or ` +
      tagged(
        `rate(node_network_transmit_bytes_total{${where},${outsideNetworks}}[${window}])`,
        "way",
        "sent",
      ),
    columns: (series) => bothWays(series, "received", "sent"),
    whenEmpty: "The exporter reports no network devices but the local one.",
  },
];

/** Used, buffers, cache and free, which add up to what is built in. */
function memoryColumns(series: readonly SeriesColumn[]): NamedColumn[] {
  const column = (name: string): Column | undefined =>
    series.find(({ labels }) => labels["__name__"] === `node_memory_${name}_bytes`)?.values;
  const [total, free] = [column("MemTotal"), column("MemFree")];
  if (total === undefined || free === undefined) return [];
  const at = (values: Column | undefined, index: number): number => values?.[index] ?? 0;
  const [buffers, cached, reclaimable] = [column("Buffers"), column("Cached"), column("SReclaimable")];
  const cache = total.map((value, index) =>
    value === null ? null : at(cached, index) + at(reclaimable, index),
  );
  const used = total.map((value, index) =>
    value === null ? null : Math.max(0, value - at(free, index) - at(buffers, index) - at(cache, index)),
  );
  return [
    { name: "used", values: used, color: 0 },
    ...(buffers === undefined ? [] : [{ name: "buffers", values: buffers, color: 1 }]),
    { name: "cache", values: cache, color: 2 },
    { name: "free", values: free, color: 7, fillOpacity: 0.06 },
  ];
}
