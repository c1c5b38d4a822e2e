/**
 * A uPlot chart as a component. It is built anew only when its form changes (the number of series, the theme …);
 * new data are handed to the existing one. Neither uPlot's legend nor its titles are used: all text is React's.
 */
import { useComputedColorScheme } from "@mantine/core";
import { useEffect, useLayoutEffect, useRef } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import "./chart.css";
import { zoneSetting } from "../base/settings.ts";
import type { Unit } from "../base/unit.ts";
import { axes } from "./axis.ts";
import { isolatedPoints, stackColumns, type Column } from "./data.ts";
import { createHighlight, type Highlight } from "./highlight.ts";
import { drawMarks, type Mark, markAt } from "./marks.ts";
import { chartInk, translucent, type Scheme } from "./palette.ts";

export interface DrawnSeries {
  color: string;
  values: Column;
  hidden?: boolean;
  /** 0..1, where the chart's own fill does not fit. */
  fillOpacity?: number;
}

/** Where the pointer is: a position in the times, pixels inside the plot, and the series it is near to. */
export interface Hover {
  index: number;
  leftPx: number;
  topPx: number;
  plotWidthPx: number;
  series: number | null;
  /** The mark under the pointer. */
  mark: number | null;
}

interface Props {
  /** Seconds, ascending. */
  times: number[];
  series: DrawnSeries[];
  /** Points beside the lines. */
  marks?: readonly Mark[];
  /** What the time axis shows, in seconds. */
  range: [startS: number, endS: number];
  heightPx: number;
  unit?: Unit;
  stacked?: boolean;
  /** Fill below lines that are not stacked, 0..1. */
  fill?: number;
  mirrored?: boolean;
  /** The value axis reaches at least to these. */
  reach?: { min?: number; max?: number };
  valueAxisPx?: number;
  /** Charts with the same key move their cursors together. */
  syncKey?: string;
  /** The series to bring forward while the pointer is elsewhere, on its entry in a legend, say. */
  highlighted?: number | null;
  onHover?: (hover: Hover | null) => void;
  /** A stretch of time was dragged out, in seconds. */
  onZoom?: (startS: number, endS: number) => void;
  /** Said to those who do not see the picture. */
  label: string;
}

/** How strongly the layers of a stack are filled. */
const stackOpacity = 0.7;

export function Chart(props: Props): React.JSX.Element {
  const {
    times,
    series,
    range,
    heightPx,
    unit = "none",
    stacked = false,
    mirrored = false,
    highlighted,
  } = props;
  const scheme = useComputedColorScheme("light", { getInitialValueInEffect: false });
  const zone = zoneSetting.use();
  const hostRef = useRef<HTMLDivElement>(null);
  const plotRef = useRef<uPlot | null>(null);
  const highlightRef = useRef<Highlight | null>(null);
  const latest = useRef(props);
  latest.current = props;

  const form = [
    scheme,
    zone,
    heightPx,
    unit,
    stacked,
    mirrored,
    props.fill,
    props.valueAxisPx,
    props.syncKey,
    series.map(({ color }) => color).join(),
  ].join("|");

  useLayoutEffect(() => {
    const host = hostRef.current!;
    const plot = new uPlot(
      options(latest, highlightRef, scheme, zone, host.clientWidth),
      columns(latest.current),
      host,
    );
    const colors = latest.current.series.map(({ color }) => color);
    highlightRef.current = createHighlight(plot, chartInk[scheme].panel, colors);
    plotRef.current = plot;
    const observer = new ResizeObserver(() => {
      if (host.clientWidth > 0 && host.clientWidth !== plot.width) {
        plot.setSize({ width: host.clientWidth, height: latest.current.heightPx });
      }
    });
    observer.observe(host);
    return () => {
      observer.disconnect();
      plot.destroy();
      plotRef.current = null;
      highlightRef.current = null;
    };
    // `form` stands for everything the options are made of.
  }, [form]);

  const hidden = series.map((each) => (each.hidden === true ? "h" : "v")).join("");
  useEffect(() => {
    const plot = plotRef.current;
    if (plot === null) return;
    plot.batch(() => {
      series.forEach((each, index) => {
        const show = each.hidden !== true;
        if (plot.series[index + 1]!.show !== show) plot.setSeries(index + 1, { show });
      });
      plot.setData(columns(latest.current), true);
    });
  }, [times, series, hidden, range[0], range[1], form]);

  useEffect(() => plotRef.current?.redraw(false), [props.marks]);

  useEffect(() => highlightRef.current?.show(highlighted ?? null), [highlighted]);

  return (
    <div ref={hostRef} className="chart" style={{ height: heightPx }} role="img" aria-label={props.label} />
  );
}

function columns({ times, series, stacked }: Props): uPlot.AlignedData {
  const values = series.map((each) => each.values);
  return [
    times,
    ...(stacked === true ? stackColumns(values, (index) => series[index]!.hidden === true) : values),
  ];
}

function options(
  latest: React.RefObject<Props>,
  highlight: React.RefObject<Highlight | null>,
  scheme: Scheme,
  zone: "local" | "utc",
  widthPx: number,
): uPlot.Options {
  const {
    series,
    heightPx,
    unit = "none",
    stacked = false,
    mirrored = false,
    fill = 0,
    syncKey,
    valueAxisPx,
  } = latest.current;
  const ink = chartInk[scheme];
  let focused: number | null = null;
  return {
    width: widthPx,
    height: heightPx,
    padding: [8, 26, 0, 0],
    legend: { show: false },
    // Ticks stand at round times of the zone that is shown.
    ...(zone === "utc" && { tzDate: (timeS: number) => uPlot.tzDate(new Date(timeS * 1000), "Etc/UTC") }),
    focus: { alpha: 1 },
    cursor: {
      focus: { prox: stacked ? -1 : 24 },
      drag: { x: true, y: false, setScale: false, dist: 6 },
      points: { size: 7, width: 2, one: !stacked && series.length > 12 },
      ...(syncKey !== undefined && { sync: { key: syncKey, setSeries: false, scales: ["x", null] } }),
    },
    scales: {
      x: { time: true, range: () => latest.current.range },
      y: { range: (_, min, max) => valueRange(min, max, latest.current) },
    },
    axes: axes({ scheme, zone, unit, mirrored, ...(valueAxisPx !== undefined && { valueAxisPx }) }),
    series: [
      {},
      ...series.map(({ color, hidden, fillOpacity }, index): uPlot.Series => ({
        stroke: color,
        // A layer of nothing would still draw its line, over that of the layer below.
        width: stacked ? 0 : 1.5,
        show: hidden !== true,
        // The lowest of a stack fills down to zero, the others down to their neighbour by way of a band.
        ...(stacked && index === 0 && { fill: translucent(color, fillOpacity ?? stackOpacity) }),
        ...(!stacked && fill > 0 && { fill: translucent(color, fill) }),
        points: { show: true, size: 4, fill: color, filter: (plot, at) => isolatedPoints(plot.data[at]!) },
      })),
    ],
    ...(stacked && {
      bands: series.slice(1).map(({ color, fillOpacity }, index) => ({
        series: [index + 2, index + 1] as [number, number],
        fill: translucent(color, fillOpacity ?? stackOpacity),
      })),
    }),
    hooks: {
      drawAxes: [(plot) => drawZeroLine(plot, ink.tick)],
      draw: [
        () => highlight.current?.redraw(),
        (plot) => drawMarks(plot, latest.current.marks ?? [], ink.text, ink.panel),
      ],
      setCursor: [
        (plot) => {
          const { idx, left = -1, top = -1 } = plot.cursor;
          const isOutside = idx === null || idx === undefined || left < 0;
          latest.current.onHover?.(
            isOutside
              ? null
              : {
                  index: idx,
                  leftPx: left,
                  topPx: top,
                  plotWidthPx: plot.over.clientWidth,
                  series: focused,
                  mark: markAt(plot, latest.current.marks ?? [], left, top),
                },
          );
        },
      ],
      setSeries: [
        (_, index, change) => {
          // uPlot hands over what setSeries was called with, which its types call a series.
          if (!("focus" in change)) return;
          focused = index === null ? null : index - 1;
          highlight.current?.show(focused);
        },
      ],
      setSelect: [
        (plot) => {
          const { left, width } = plot.select;
          if (width > 6) latest.current.onZoom?.(plot.posToVal(left, "x"), plot.posToVal(left + width, "x"));
          plot.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
        },
      ],
    },
  };
}

/** Leaves a little room, keeps zero in sight where the values come near it, and never collapses to nothing. */
function valueRange(min: number | null, max: number | null, { reach, stacked }: Props): [number, number] {
  const wanted = [min, max, reach?.min, reach?.max, stacked === true ? 0 : null];
  const values = wanted.filter(
    (value): value is number => typeof value === "number" && Number.isFinite(value),
  );
  if (values.length === 0) return [0, 1];
  let low = Math.min(...values);
  let high = Math.max(...values);
  if (low === high) {
    const room = low === 0 ? 1 : Math.abs(low) * 0.1;
    return low >= 0 && low - room * 2 < 0 ? [0, high + room] : [low - room, high + room];
  }
  const room = (high - low) * 0.06;
  if (low > 0 && low < (high - low) * 0.6) low = 0;
  if (low !== 0 && low !== reach?.min) low -= room;
  if (high !== 0 && high !== reach?.max) high += room;
  return [low, high];
}

function drawZeroLine(plot: uPlot, color: string): void {
  const { left, width } = plot.bbox;
  const y = Math.round(plot.valToPos(0, "y", true)) + 0.5;
  if (!(y >= plot.bbox.top && y <= plot.bbox.top + plot.bbox.height)) return;
  plot.ctx.save();
  plot.ctx.strokeStyle = color;
  plot.ctx.lineWidth = 1;
  plot.ctx.beginPath();
  plot.ctx.moveTo(left, y);
  plot.ctx.lineTo(left + width, y);
  plot.ctx.stroke();
  plot.ctx.restore();
}
