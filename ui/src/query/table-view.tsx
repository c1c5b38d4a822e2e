/** An instant query's answer as rows. Only the rows in sight exist, so ten thousand are no trouble. */
import { useVirtualizer } from "@tanstack/react-virtual";
import { useRef, useState, type ReactNode } from "react";
import type { Histogram, HistogramSample, QueryData, Sample } from "../api/types.ts";
import { formatCount } from "../base/unit.ts";
import { lookbackDelta } from "../base/page-globals.ts";
import { zoneSetting } from "../base/settings.ts";
import { formatTime, type Zone } from "../base/time.ts";
import { SeriesName } from "../parts/labels.tsx";
import { Time } from "../parts/time.tsx";
import { Result } from "./result.tsx";
import { useInstant } from "./run.ts";
import type { PanelState } from "./url.ts";

export function TableView({
  panel,
  id,
  run,
}: {
  panel: PanelState;
  id: number;
  run: number;
}): React.JSX.Element {
  const running = useInstant(panel, id, run);
  return (
    <Result
      running={running}
      hasExpr={panel.expr !== ""}
      summary={(answer) => (
        <>
          <span className="num">{summarize(answer.data)}</span>
          <span className="dim num">
            at <Time at={answer.timeMs} />
          </span>
        </>
      )}
    >
      {(answer) => <Rows data={answer.data} />}
    </Result>
  );
}

function summarize(data: QueryData): string {
  if (data.resultType === "scalar" || data.resultType === "string") return data.resultType;
  const count = data.result.length;
  return `${formatCount(count)} series`;
}

function Rows({ data }: { data: QueryData }): React.JSX.Element {
  const zone = zoneSetting.use();
  switch (data.resultType) {
    case "scalar":
    case "string":
      return (
        <List
          count={1}
          row={() => ({ name: <span className="dim">{data.resultType}</span>, value: data.result[1] })}
        />
      );
    case "vector":
      return (
        <List
          count={data.result.length}
          row={(index) => {
            const { metric, value, histogram } = data.result[index]!;
            return {
              name: <SeriesName labels={metric} />,
              value:
                histogram === undefined ? (value?.[1] ?? "") : <HistogramValue histogram={histogram[1]} />,
            };
          }}
        />
      );
    case "matrix":
      return (
        <List
          count={data.result.length}
          row={(index) => {
            const { metric, values = [], histograms = [] } = data.result[index]!;
            return {
              name: <SeriesName labels={metric} />,
              value: <Samples values={values} histograms={histograms} zone={zone} />,
            };
          }}
        />
      );
  }
}

/** How many samples of one series are listed at first, the newest of them. */
const samplesShownMax = 50;

interface SamplesProps {
  values: readonly Sample[];
  histograms: readonly HistogramSample[];
  zone: Zone;
}

/** A range vector's samples, one a line, with their times. */
function Samples({ values, histograms, zone }: SamplesProps): React.JSX.Element {
  const [showsAll, setShowsAll] = useState(false);
  const lines = [
    ...values.map(([timeS, value]) => ({ timeS, text: value })),
    ...histograms.map(([timeS, { count, sum }]) => ({ timeS, text: `count ${count}, sum ${sum}` })),
  ];
  const hidden = showsAll ? 0 : Math.max(0, lines.length - samplesShownMax);
  return (
    <>
      {hidden > 0 && (
        <button type="button" className="link" onClick={() => setShowsAll(true)}>
          {formatCount(hidden)} earlier samples
        </button>
      )}
      {lines.slice(hidden).map(({ timeS, text }) => (
        <div key={timeS} title={formatTime(timeS * 1000, zone)}>
          {text} <span className="dim">@{timeS.toFixed(3)}</span>
        </div>
      ))}
    </>
  );
}

interface ListProps {
  count: number;
  row: (index: number) => { name: ReactNode; value: ReactNode };
}

const rowHeightPx = 26;

function List({ count, row }: ListProps): React.JSX.Element {
  const scrollRef = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count,
    getScrollElement: () => scrollRef.current,
    estimateSize: () => rowHeightPx,
    overscan: 20,
  });
  if (count === 0) {
    return (
      <div className="query-empty dim">
        The query succeeded, but no series matched. A sample counts for {lookbackDelta} after it was taken.
      </div>
    );
  }
  const items = virtual.getVirtualItems();
  return (
    <div ref={scrollRef} className="rows" role="table" aria-rowcount={count}>
      <div style={{ height: virtual.getTotalSize(), position: "relative" }}>
        <div style={{ transform: `translateY(${items[0]?.start ?? 0}px)` }}>
          {items.map(({ key, index }) => {
            const { name, value } = row(index);
            return (
              <div key={key} ref={virtual.measureElement} data-index={index} className="data-row" role="row">
                <div className="data-name" role="cell">
                  {name}
                </div>
                <div className="data-value num" role="cell">
                  {value}
                </div>
              </div>
            );
          })}
        </div>
      </div>
    </div>
  );
}

/** How each boundary rule writes its brackets: 0 open left, 1 open right, 2 both open, 3 both closed. */
const brackets: readonly (readonly [left: string, right: string])[] = [
  ["(", "]"],
  ["[", ")"],
  ["(", ")"],
  ["[", "]"],
];

function HistogramValue({ histogram }: { histogram: Histogram }): React.JSX.Element {
  const { count, sum, buckets = [] } = histogram;
  const most = Math.max(...buckets.map((bucket) => Number(bucket[3])), 0);
  return (
    <details className="histogram">
      <summary>
        count {count}, sum {sum}
      </summary>
      <table>
        <tbody>
          {buckets.map(([rule, lower, upper, inBucket]) => (
            <tr key={lower + upper}>
              <td className="num mono">
                {brackets[rule]?.[0]}
                {lower}, {upper}
                {brackets[rule]?.[1]}
              </td>
              <td className="histogram-bar">
                <i style={{ width: `${most > 0 ? (Number(inBucket) / most) * 100 : 0}%` }} />
              </td>
              <td className="num">{inBucket}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}
