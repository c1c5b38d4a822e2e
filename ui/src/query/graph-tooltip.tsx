/** What is under the pointer, as text: the line that is near, or else the largest few. */
import { zoneSetting } from "../base/settings.ts";
import { formatTime } from "../base/time.ts";
import type { Hover } from "../chart/chart.tsx";
import type { Exemplar } from "../api/types.ts";
import { LabelTags, SeriesName } from "../parts/labels.tsx";
import { Swatch, type LegendEntry } from "./graph-legend.tsx";

interface Props {
  hover: Hover;
  times: readonly number[];
  entries: readonly LegendEntry[];
  /** In the order of the graph's marks. */
  exemplars: readonly Exemplar[];
  isHidden: (key: string) => boolean;
}

/** How many series are listed while no single one is near. */
const listedMax = 8;

export function GraphTooltip({ hover, times, entries, exemplars, isHidden }: Props): React.JSX.Element {
  const zone = zoneSetting.use();
  const exemplar = hover.mark === null ? undefined : exemplars[hover.mark];
  const near = hover.series === null ? undefined : entries[hover.series];
  const here = (entry: LegendEntry): number | null => entry.values[hover.index] ?? null;
  const present = entries.filter((entry) => !isHidden(entry.key) && here(entry) !== null);
  const shown =
    near === undefined ? present.toSorted((a, b) => here(b)! - here(a)!).slice(0, listedMax) : [near];
  const isRight = hover.leftPx > hover.plotWidthPx / 2;
  const style = isRight
    ? { right: hover.plotWidthPx - hover.leftPx + 24, top: 12 }
    : { right: "auto", left: hover.leftPx + 90, top: 12 };
  return (
    <div className="graph-tooltip panel" style={style}>
      {exemplar !== undefined && (
        <div className="tooltip-exemplar">
          <span className="dim">Exemplar at {formatTime(exemplar.timestamp * 1000, zone)}: </span>
          <span className="num tooltip-value">{exemplar.value}</span> <LabelTags labels={exemplar.labels} />
        </div>
      )}
      <div className="dim num tooltip-time">{formatTime(times[hover.index]! * 1000, zone)}</div>
      <table>
        <tbody>
          {shown.map((entry) => (
            <tr key={entry.key}>
              <td>
                <Swatch color={entry.color} />
              </td>
              <td className="num tooltip-value">{readable(here(entry))}</td>
              <td className="tooltip-name">
                <SeriesName labels={entry.labels} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {near === undefined && present.length > listedMax && (
        <div className="dim">and {present.length - listedMax} more</div>
      )}
    </div>
  );
}

/** Eight digits are more than a graph can show; the table has them all. */
const readable = (value: number | null): string =>
  value === null ? "no value" : String(Number(value.toPrecision(8)));
