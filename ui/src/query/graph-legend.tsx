/** The graph's series with their figures. A click shows only one, Ctrl-click hides or shows it. */
import { useVirtualizer } from "@tanstack/react-virtual";
import { useMemo, useRef } from "react";
import { formatLabels, type Labels } from "../base/labels.ts";
import { formatSi } from "../base/unit.ts";
import { lastValue, type Column } from "../chart/data.ts";
import { SeriesName } from "../parts/labels.tsx";

export interface LegendEntry {
  /** The series' name in PromQL: unique within a graph. */
  key: string;
  labels: Labels;
  values: Column;
  color: string;
}

interface Props {
  entries: readonly LegendEntry[];
  /** The labels that tell the series apart. */
  varying: ReadonlySet<string>;
  hidden: ReadonlySet<string>;
  onHidden: (hidden: ReadonlySet<string>) => void;
  highlighted: number | null;
  onHighlight: (index: number | null) => void;
}

const rowHeightPx = 24;

interface Figures {
  min: number;
  mean: number;
  max: number;
  last: number | null;
}

function figuresOf(values: Column): Figures | undefined {
  const present = values.filter((value) => value !== null);
  if (present.length === 0) return undefined;
  let [min, max, sum] = [Infinity, -Infinity, 0];
  for (const value of present) {
    min = Math.min(min, value);
    max = Math.max(max, value);
    sum += value;
  }
  return { min, max, mean: sum / present.length, last: lastValue(values) };
}

export function GraphLegend({
  entries,
  varying,
  hidden,
  onHidden,
  highlighted,
  onHighlight,
}: Props): React.JSX.Element {
  const scrollRef = useRef<HTMLDivElement>(null);
  const figures = useMemo(() => entries.map(({ values }) => figuresOf(values)), [entries]);
  const virtual = useVirtualizer({
    count: entries.length,
    getScrollElement: () => scrollRef.current,
    estimateSize: () => rowHeightPx,
    overscan: 12,
  });

  const pick = (key: string, toggles: boolean): void => {
    if (toggles) {
      const next = new Set(hidden);
      if (!next.delete(key)) next.add(key);
      onHidden(next);
      return;
    }
    const others = entries.map((entry) => entry.key).filter((each) => each !== key);
    const isAloneAlready = others.length > 0 && !hidden.has(key) && others.every((each) => hidden.has(each));
    onHidden(new Set(isAloneAlready ? [] : others));
  };

  return (
    <div className="legend">
      <div className="legend-row legend-head dim">
        <span className="legend-name">
          {entries.length > 1 ? "Click: only this series · Ctrl+click: hide or show" : ""}
        </span>
        {["min", "mean", "max", "last"].map((name) => (
          <span key={name} className="num">
            {name}
          </span>
        ))}
      </div>
      <div ref={scrollRef} className="legend-rows" onMouseLeave={() => onHighlight(null)}>
        <div style={{ height: virtual.getTotalSize(), position: "relative" }}>
          {virtual.getVirtualItems().map(({ index, start }) => {
            const { key, labels, color } = entries[index]!;
            const figure = figures[index];
            const isHidden = hidden.has(key);
            return (
              <button
                key={key}
                type="button"
                className={`legend-row ${isHidden ? "hidden" : ""} ${highlighted === index ? "near" : ""}`}
                style={{ position: "absolute", top: start, height: rowHeightPx }}
                aria-pressed={!isHidden}
                title={formatLabels(labels)}
                onClick={(event) => pick(key, event.ctrlKey || event.metaKey)}
                onMouseEnter={() => onHighlight(isHidden ? null : index)}
              >
                <span className="legend-name">
                  <Swatch color={color} />
                  <SeriesName labels={labels} only={varying} />
                </span>
                {[figure?.min, figure?.mean, figure?.max, figure?.last].map((value, column) => (
                  <span key={column} className="num">
                    {value === undefined || value === null ? "–" : formatSi(value)}
                  </span>
                ))}
              </button>
            );
          })}
        </div>
      </div>
    </div>
  );
}

export const Swatch = ({ color }: { color: string }): React.JSX.Element => (
  <i className="swatch" style={{ background: color }} />
);
