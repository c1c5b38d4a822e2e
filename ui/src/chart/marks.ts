/** Points of their own beside the lines: each an example of what a line counts. */
import type uPlot from "uplot";

export interface Mark {
  timeS: number;
  value: number;
}

const radiusPx = 5;
/** How near the pointer must be. */
const nearPx = 10;

/** Draws the marks as diamonds; what lies beyond the value axis stands at its end. */
export function drawMarks(plot: uPlot, marks: readonly Mark[], color: string, rim: string): void {
  const { ctx } = plot;
  const scale = devicePixelRatio;
  ctx.save();
  ctx.fillStyle = color;
  ctx.strokeStyle = rim;
  ctx.lineWidth = scale;
  for (const mark of marks) {
    const place = placeOf(plot, mark);
    if (place === undefined) continue;
    const x = plot.bbox.left + place.leftPx * scale;
    const y = plot.bbox.top + place.topPx * scale;
    const radius = radiusPx * scale;
    ctx.beginPath();
    ctx.moveTo(x, y - radius);
    ctx.lineTo(x + radius, y);
    ctx.lineTo(x, y + radius);
    ctx.lineTo(x - radius, y);
    ctx.closePath();
    ctx.fill();
    ctx.stroke();
  }
  ctx.restore();
}

/** The mark under the pointer, null when there is none. */
export function markAt(plot: uPlot, marks: readonly Mark[], leftPx: number, topPx: number): number | null {
  let nearest: number | null = null;
  let distancePx = nearPx;
  marks.forEach((mark, index) => {
    const place = placeOf(plot, mark);
    if (place === undefined) return;
    const away = Math.hypot(place.leftPx - leftPx, place.topPx - topPx);
    if (away > distancePx) return;
    nearest = index;
    distancePx = away;
  });
  return nearest;
}

/** Pixels inside the plot; undefined outside of the time that is shown. */
function placeOf(plot: uPlot, { timeS, value }: Mark): { leftPx: number; topPx: number } | undefined {
  const leftPx = plot.valToPos(timeS, "x");
  if (!(leftPx >= 0 && leftPx <= plot.over.clientWidth) || Number.isNaN(value)) return undefined;
  const topPx = Math.min(Math.max(plot.valToPos(value, "y"), 0), plot.over.clientHeight);
  return { leftPx, topPx };
}
