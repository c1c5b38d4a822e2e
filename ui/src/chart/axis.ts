/** What stands along the axes. */
import uPlot from "uplot";
import { formatTime, type Zone } from "../base/time.ts";
import { formatValue, type Unit } from "../base/unit.ts";
import { chartInk, type Scheme } from "./palette.ts";

const font = "11px system-ui, sans-serif";

/** Steps between lines that are round in powers of two, for bytes. */
const binaryIncrements = Array.from({ length: 70 }, (_, power) => 2 ** power);

/** One label per tick: the day where it changes, the time of day elsewhere, seconds only when ticks are that close. */
function timeLabels(splitsS: readonly number[], incrementS: number, zone: Zone): string[] {
  let day = "";
  return splitsS.map((timeS, index) => {
    const [date, clock] = formatTime(Math.round(timeS) * 1000, zone).split(" ") as [string, string];
    const isNewDay = date !== day;
    day = date;
    if (incrementS >= 86_400) return date.slice(incrementS >= 86_400 * 200 ? 0 : 5);
    const short = incrementS < 60 ? clock : clock.slice(0, 5);
    return isNewDay && (index > 0 || incrementS >= 3600) ? `${short}\n${date.slice(5)}` : short;
  });
}

interface AxesOptions {
  scheme: Scheme;
  zone: Zone;
  unit: Unit;
  /** Values below zero are the other direction of something, shown without their sign. */
  mirrored: boolean;
  /** Width of the value axis in pixels; by its longest label when absent. */
  valueAxisPx?: number;
}

export function axes({ scheme, zone, unit, mirrored, valueAxisPx }: AxesOptions): uPlot.Axis[] {
  const ink = chartInk[scheme];
  const common = {
    font,
    stroke: ink.text,
    grid: { stroke: ink.grid, width: 1 },
    ticks: { stroke: ink.tick, width: 1, size: 4 },
  };
  return [
    {
      ...common,
      grid: { show: false },
      space: 64,
      // A second line of text, the date, makes it taller.
      size: (_, labels) => (labels?.some((label) => label.includes("\n")) ? 38 : 24),
      gap: 4,
      values: (_, splits, _axis, _space, increment) => timeLabels(splits, increment, zone),
    },
    {
      ...common,
      ticks: { show: false },
      gap: 6,
      space: 28,
      size:
        valueAxisPx ??
        ((_, labels) => 18 + 6.4 * Math.max(3, ...(labels ?? []).map((label) => label.length))),
      ...(unit.startsWith("bytes") && { incrs: binaryIncrements }),
      values: (_, splits) => splits.map((value) => formatValue(mirrored ? Math.abs(value) : value, unit)),
    },
  ];
}
