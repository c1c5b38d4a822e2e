/** One live chart with its legend, which shows the values under the pointer or else the newest. */
import { useComputedColorScheme } from "@mantine/core";
import { useMemo, useState } from "react";
import { Link } from "wouter";
import { formatValue } from "../base/unit.ts";
import { Chart, type Hover } from "../chart/chart.tsx";
import { lastValue } from "../chart/data.ts";
import { seriesColor } from "../chart/palette.ts";
import { Failure } from "../parts/notice.tsx";
import { encodePanels, newPanel } from "../query/url.ts";
import { hoverTime } from "./hover-time.ts";
import { useLiveRange, type LiveWindow } from "./live.ts";
import type { LiveChart } from "./machine.ts";

interface Props {
  spec: LiveChart;
  where: string | undefined;
  window: LiveWindow;
  /** The time axis in seconds. */
  range: [startS: number, endS: number] | undefined;
  /** Whether the machine has been watched for so short a time that an empty chart means nothing yet. */
  isYoung: boolean;
  onZoom: (startS: number, endS: number) => void;
}

const chartHeightPx = 148;

export function LivePanel({ spec, where, window, range, isYoung, onZoom }: Props): React.JSX.Element {
  const scheme = useComputedColorScheme("light", { getInitialValueInEffect: false });
  const expr = spec.expr(where ?? "", window.rateWindow);
  const { data, error } = useLiveRange(expr, window, where !== undefined);
  const [hover, setHover] = useState<Hover | null>(null);
  const columns = useMemo(() => (data === undefined ? [] : spec.columns(data.series)), [data, spec]);
  const drawn = useMemo(
    () =>
      columns.map(({ values, color, fillOpacity }) => ({
        values,
        color: seriesColor(color, scheme),
        ...(fillOpacity !== undefined && { fillOpacity }),
      })),
    [columns, scheme],
  );
  const shownRange = range ?? (data && [data.grid.startMs / 1000, data.grid.endMs / 1000]);
  const panel = newPanel({ expr, tab: "graph", rangeMs: window.rangeMs, stacked: spec.stacked === true });

  return (
    <section className="panel live-panel">
      <div className="live-head">
        <h2>
          <Link href={`/query?${encodePanels([panel])}`} title="Open in Query">
            {spec.title}
          </Link>
        </h2>
        <ul className="live-legend">
          {columns.map(({ name, values }, index) => {
            const value = hover === null ? lastValue(values) : (values[hover.index] ?? null);
            return (
              <li key={name}>
                <i style={{ background: drawn[index]!.color }} />
                {name}
                <b className="num">{value === null ? "–" : formatValue(Math.abs(value), spec.unit)}</b>
              </li>
            );
          })}
        </ul>
      </div>
      <div style={{ minHeight: chartHeightPx }}>
        {error !== null && data === undefined && <Failure error={error} what={spec.title} />}
        {data !== undefined && columns.length === 0 && (
          <div className="live-empty">{isYoung ? "The first samples are on their way." : spec.whenEmpty}</div>
        )}
        {data !== undefined && shownRange !== undefined && columns.length > 0 && (
          <Chart
            label={`${spec.title} over time`}
            times={data.times}
            series={drawn}
            range={shownRange}
            heightPx={chartHeightPx}
            unit={spec.unit}
            stacked={spec.stacked === true}
            mirrored={spec.mirrored === true}
            fill={spec.mirrored === true ? 0.18 : 0}
            valueAxisPx={72}
            syncKey="home"
            {...(spec.reach && { reach: spec.reach })}
            onHover={(next) => {
              setHover(next);
              hoverTime.set(next === null ? null : (data.times[next.index] ?? null));
            }}
            onZoom={onZoom}
          />
        )}
      </div>
    </section>
  );
}
