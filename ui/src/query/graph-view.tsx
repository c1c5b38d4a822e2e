/** A range query's answer as a graph with its legend. */
import { useComputedColorScheme } from "@mantine/core";
import { useMemo, useState } from "react";
import { formatLabels, varyingLabels } from "../base/labels.ts";
import { formatDuration } from "../base/duration.ts";
import { formatCount } from "../base/unit.ts";
import { Chart, type Hover } from "../chart/chart.tsx";
import { alignSeries, gridTimes } from "../chart/data.ts";
import { seriesColor } from "../chart/palette.ts";
import { Notice } from "../parts/notice.tsx";
import "./graph.css";
import { GraphLegend, type LegendEntry } from "./graph-legend.tsx";
import { GraphTooltip } from "./graph-tooltip.tsx";
import { Result } from "./result.tsx";
import { useRange, type RangeAnswer } from "./run.ts";
import type { PanelState } from "./url.ts";

interface Props {
  panel: PanelState;
  id: number;
  run: number;
  onZoom: (startMs: number, endMs: number) => void;
}

/** More lines than this tell nothing and make the browser slow. */
const drawnSeriesMax = 500;

export function GraphView({ panel, id, run, onZoom }: Props): React.JSX.Element {
  const running = useRange(panel, id, run);
  return (
    <Result
      running={running}
      hasExpr={panel.expr !== ""}
      summary={({ data, grid, exemplars }) => (
        <>
          <span className="num">{formatCount(data.result.length)} series</span>
          <span className="dim num">step {formatDuration(grid.stepMs)}</span>
          {panel.showsExemplars && (
            <span className="num">
              {formatCount(exemplars.reduce((sum, one) => sum + one.exemplars.length, 0))} exemplars
            </span>
          )}
        </>
      )}
    >
      {(answer) => <Graph answer={answer} stacked={panel.stacked} onZoom={onZoom} />}
    </Result>
  );
}

const graphHeightPx = 380;

interface GraphProps {
  answer: RangeAnswer;
  stacked: boolean;
  onZoom: (startMs: number, endMs: number) => void;
}

function Graph({ answer, stacked, onZoom }: GraphProps): React.JSX.Element {
  const scheme = useComputedColorScheme("light", { getInitialValueInEffect: false });
  const [hover, setHover] = useState<Hover | null>(null);
  const [highlighted, setHighlighted] = useState<number | null>(null);
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const { grid } = answer;
  const result = answer.data.result;

  const times = useMemo(() => gridTimes(grid), [grid]);
  const entries = useMemo(() => {
    const aligned = alignSeries(result.slice(0, drawnSeriesMax), grid);
    return aligned.map(({ labels, values }, index): LegendEntry => ({
      key: formatLabels(labels),
      labels,
      values,
      color: seriesColor(index, scheme),
    }));
  }, [result, grid, scheme]);
  const drawn = useMemo(
    () => entries.map(({ key, values, color }) => ({ values, color, hidden: hidden.has(key) })),
    [entries, hidden],
  );
  const exemplars = useMemo(() => answer.exemplars.flatMap(({ exemplars: all }) => all), [answer.exemplars]);
  const marks = useMemo(
    () => exemplars.map(({ timestamp, value }) => ({ timeS: timestamp, value: Number(value) })),
    [exemplars],
  );
  const varying = useMemo(() => varyingLabels(entries.map(({ labels }) => labels)), [entries]);

  if (entries.length === 0) {
    return (
      <div className="query-empty dim">The query succeeded, but there is nothing to draw in this range.</div>
    );
  }
  return (
    <>
      {result.length > drawnSeriesMax && (
        <Notice tone="warn">
          Drawn are the first {drawnSeriesMax} of {formatCount(result.length)} series. A selector, an
          aggregation or topk() makes it fewer.
        </Notice>
      )}
      <div className="graph" style={{ height: graphHeightPx }}>
        <Chart
          label={`Graph of ${answer.expr}`}
          times={times}
          series={drawn}
          marks={marks}
          range={[(grid.endMs - answer.rangeMs) / 1000, grid.endMs / 1000]}
          heightPx={graphHeightPx}
          stacked={stacked}
          fill={!stacked && entries.length === 1 ? 0.08 : 0}
          highlighted={highlighted}
          onHover={setHover}
          onZoom={(startS, endS) => onZoom(Math.floor(startS) * 1000, Math.ceil(endS) * 1000)}
        />
        {hover !== null && (
          <GraphTooltip
            hover={hover}
            times={times}
            entries={entries}
            exemplars={exemplars}
            isHidden={(key) => hidden.has(key)}
          />
        )}
      </div>
      <GraphLegend
        entries={entries}
        varying={varying}
        hidden={hidden}
        onHidden={setHidden}
        highlighted={hover?.series ?? null}
        onHighlight={setHighlighted}
      />
    </>
  );
}
