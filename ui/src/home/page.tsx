/** Home: the machine the server runs on, live, and the server at a glance. */
import { useMemo } from "react";
import { Link, useLocation } from "wouter";
import type { TargetsData } from "../api/types.ts";
import { useApi } from "../api/use-api.ts";
import { formatDuration, humanizeDuration, parseDuration } from "../base/duration.ts";
import { quote } from "../base/labels.ts";
import { zoneSetting } from "../base/settings.ts";
import { formatClock } from "../base/time.ts";
import { formatBytes, parseSample } from "../base/unit.ts";
import { Choice } from "../parts/choice.tsx";
import { Empty, Failure } from "../parts/notice.tsx";
import { PageHead } from "../parts/page.tsx";
import { useUrlParam } from "../parts/search.tsx";
import { useNow } from "../parts/time.tsx";
import { encodePanels, newPanel } from "../query/url.ts";
import { Filesystems } from "./filesystems.tsx";
import "./home.css";
import { hoverTime } from "./hover-time.ts";
import { LivePanel } from "./live-panel.tsx";
import { liveWindow, useLiveRange, useLiveVector, useScrapeInterval, type LiveData } from "./live.ts";
import { liveCharts, machinesExpr, readMachine, thisMachine, whereMachine, type Machine } from "./machine.ts";
import { Tiles } from "./tiles.tsx";

const ranges = ["5m", "15m", "1h", "6h", "24h"] as const;
const rangeDefault = "15m";

/** A server that has just been started shows at least this much time, in seconds. */
const spanMinS = 60;

export default function HomePage(): React.JSX.Element {
  const [rangeParam, setRange] = useUrlParam("range");
  const [instanceParam, setInstance] = useUrlParam("instance");
  const [, navigate] = useLocation();
  const rangeMs = parseDuration(rangeParam) || parseDuration(rangeDefault)!;
  const machines = useLiveVector(machinesExpr, 15_000);
  const runtime = useApi<{ hostname?: string; startTime?: string }>("/status/runtimeinfo").data?.data;
  const known = useMemo(
    () => uniqueMachines((machines.data ?? []).map(({ metric }) => readMachine(metric))),
    [machines.data],
  );
  const machine =
    known.find(({ instance }) => instance === instanceParam) ?? thisMachine(known, runtime?.hostname);

  const where = machine && whereMachine(machine);
  const scrapeIntervalMs = useScrapeInterval(machine?.job, machine?.instance);
  const window = useMemo(() => liveWindow(rangeMs, scrapeIntervalMs), [rangeMs, scrapeIntervalMs]);
  // The load is there from the first scrape on: it tells from when on there is something to see.
  const load = useLiveRange(
    liveCharts.find(({ title }) => title === "Load")!.expr(where ?? "", window.rateWindow),
    window,
    where !== undefined,
  );
  const range = load.data && visibleRange(load.data);
  // A rate takes two scrapes, and the grid's end may lie up to a step back.
  const isYoung = load.data === undefined || watchedMs(load.data) < 2 * scrapeIntervalMs + window.stepMs;

  const zoom = (startS: number, endS: number): void => {
    const exprs = liveCharts.map(({ expr }) => expr(where ?? "", window.rateWindow));
    const spanMs = Math.max(10_000, Math.round(endS - startS) * 1000);
    const panels = exprs.map((expr, index) =>
      newPanel({
        expr,
        tab: "graph",
        rangeMs: spanMs,
        endMs: Math.round(endS) * 1000,
        stacked: liveCharts[index]!.stacked === true,
      }),
    );
    navigate(`/query?${encodePanels(panels)}`);
  };

  return (
    <>
      <PageHead title={machine?.nodename || machine?.instance || "Home"}>
        {machine !== undefined && <MachineFacts machine={machine} />}
        <span className="grow" />
        <HoverTime />
        {known.length > 1 && (
          <select
            className="plain-select"
            aria-label="Machine"
            value={machine?.instance}
            onChange={(event) => setInstance(event.currentTarget.value)}
          >
            {known.map(({ instance, nodename }) => (
              <option key={instance} value={instance}>
                {nodename === "" ? instance : `${nodename} (${instance})`}
              </option>
            ))}
          </select>
        )}
        <Choice
          label="Time range"
          value={formatDuration(rangeMs) === "1d" ? "24h" : formatDuration(rangeMs)}
          options={ranges.map((value) => ({ value, label: value }))}
          onChange={(value) => setRange(value === rangeDefault ? "" : value)}
        />
      </PageHead>
      <div className="stack">
        <Tiles />
        {machines.error !== null && machines.data === undefined && (
          <Failure error={machines.error} what="the machine's metrics" />
        )}
        {machines.data !== undefined && machine === undefined && <NoMachine startTime={runtime?.startTime} />}
        {(machines.data === undefined ? machines.error === null : machine !== undefined) && (
          <div className="live-grid">
            {liveCharts.map((spec) => (
              <LivePanel
                key={spec.title}
                spec={spec}
                where={where}
                window={window}
                range={range}
                isYoung={isYoung}
                onZoom={zoom}
              />
            ))}
            <Filesystems where={where} />
          </div>
        )}
      </div>
    </>
  );
}

function uniqueMachines(machines: readonly Machine[]): Machine[] {
  const byInstance = new Map<string, Machine>();
  for (const machine of machines) {
    const known = byInstance.get(machine.instance);
    if (known === undefined || known.nodename === "") byInstance.set(machine.instance, machine);
  }
  return [...byInstance.values()].sort((a, b) => a.instance.localeCompare(b.instance));
}

/** The time of the first sample in seconds, `undefined` when there is none. */
const firstSample = ({ times, series }: LiveData): number | undefined =>
  times.find((_, index) => series.some(({ values }) => values[index] !== null));

/** How long there have been samples, as far as the window shows. */
const watchedMs = (data: LiveData): number => data.grid.endMs - (firstSample(data) ?? Infinity) * 1000;

/** From the first sample on, as long as that leaves a sensible width: a young server shows no empty axis. */
function visibleRange(data: LiveData): [startS: number, endS: number] {
  const first = firstSample(data);
  const [startS, endS] = [data.grid.startMs / 1000, data.grid.endMs / 1000];
  if (first === undefined || first - startS < (endS - startS) * 0.1) return [startS, endS];
  return [Math.max(startS, Math.min(first, endS - spanMinS)), endS];
}

function MachineFacts({ machine }: { machine: Machine }): React.JSX.Element {
  const where = whereMachine(machine);
  const now = useNow();
  const facts = useLiveVector(
    `{__name__=~"node_boot_time_seconds|node_memory_MemTotal_bytes",${where}} or count(node_cpu_seconds_total{${where},mode="idle"})`,
    60_000,
  ).data;
  const fact = (name: string | undefined): number | undefined => {
    const value = facts?.find(({ metric }) => metric["__name__"] === name)?.value;
    return value === undefined ? undefined : parseSample(value[1]);
  };
  const [boot, memory, cores] = [
    fact("node_boot_time_seconds"),
    fact("node_memory_MemTotal_bytes"),
    fact(undefined),
  ];
  const words = [
    machine.release !== "" && `Linux ${machine.release}`,
    cores !== undefined && `${cores} ${cores === 1 ? "core" : "cores"}`,
    memory !== undefined && formatBytes(memory),
    boot !== undefined && `up ${humanizeDuration(now - boot * 1000)}`,
  ];
  return <span className="dim num">{words.filter((word) => word !== false).join(" · ")}</span>;
}

function HoverTime(): React.JSX.Element {
  const timeS = hoverTime.use();
  const zone = zoneSetting.use();
  return <span className="num dim hover-time">{timeS === null ? "" : formatClock(timeS * 1000, zone)}</span>;
}

const exampleConfig = `scrape_configs:
  - job_name: node
    static_configs:
      - targets: ["localhost:9100"]`;

/** How long after its start a server may still be waiting for its first scrapes, in milliseconds. */
const youngMs = 60_000;

function NoMachine({ startTime = "" }: { startTime?: string | undefined }): React.JSX.Element {
  const panel = newPanel({ expr: `up{job=${quote("node")}}` });
  const isYoung = useNow() - Date.parse(startTime) < youngMs;
  const targets = useApi<TargetsData>("/targets", { state: "active" }).data?.data.activeTargets ?? [];
  if (isYoung && targets.length > 0) {
    return (
      <Empty title="The first samples are on their way">
        <p>
          The server has just started and is scraping for the first time. The graphs appear by themselves.
        </p>
      </Empty>
    );
  }
  return (
    <Empty title="No machine is being watched yet">
      <p>
        The graphs of this page come from a node exporter. Start one on the machine (
        <code>narthex node-exporter</code>, or any other node exporter), add it to the configuration, and
        reload. Within a few scrapes this page fills by itself.
      </p>
      <pre className="code panel" style={{ padding: 10 }}>
        {exampleConfig}
      </pre>
      <p>
        It is there already? Then see <Link href="/targets">how its scrapes go</Link> or{" "}
        <Link href={`/query?${encodePanels([panel])}`}>ask for its state</Link>.
      </p>
    </Empty>
  );
}
