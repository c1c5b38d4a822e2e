/**
 * Brings one series forward by drawing it again on a canvas of its own, above a veil over all others. uPlot's own
 * way draws every series again whenever the pointer comes near another one, which a hundred series make slow.
 */
import type uPlot from "uplot";
import { translucent } from "./palette.ts";

/** How much of the other series the veil takes away. */
const veilOpacity = 0.72;

export interface Highlight {
  /** Position of the series in the plot's data, the times not counted; `null` for none. */
  show(series: number | null): void;
  /** Draws again after the plot itself has changed. */
  redraw(): void;
}

/** `veil` is the colour behind the plot, `colors` those of the series, both `#rrggbb`. The canvas goes with the plot. */
export function createHighlight(plot: uPlot, veil: string, colors: readonly string[]): Highlight {
  const canvas = document.createElement("canvas");
  canvas.className = "chart-highlight";
  plot.over.prepend(canvas);
  let shown: number | null = null;

  function redraw(): void {
    const { width, height } = plot.bbox;
    if (canvas.width !== width || canvas.height !== height) {
      canvas.width = width;
      canvas.height = height;
    }
    const context = canvas.getContext("2d")!;
    context.clearRect(0, 0, width, height);
    if (shown === null || plot.series[shown + 1]?.show !== true) return;
    context.fillStyle = translucent(veil, veilOpacity);
    context.fillRect(0, 0, width, height);
    drawLine(context, plot, shown, colors[shown]!);
  }

  return {
    show(series) {
      if (series === shown) return;
      shown = series;
      redraw();
    },
    redraw,
  };
}

function drawLine(context: CanvasRenderingContext2D, plot: uPlot, series: number, color: string): void {
  const [times, values] = [plot.data[0], plot.data[series + 1]!];
  const { left, top } = plot.bbox;
  const pixelRatio = context.canvas.width / Math.max(1, plot.over.clientWidth);
  context.strokeStyle = color;
  context.lineWidth = 2 * pixelRatio;
  context.lineJoin = "round";
  context.beginPath();
  let isDown = false;
  for (let at = 0; at < times.length; at++) {
    const value = values[at];
    if (value === null || value === undefined) {
      isDown = false;
      continue;
    }
    const x = plot.valToPos(times[at]!, "x", true) - left;
    const y = plot.valToPos(value, "y", true) - top;
    if (isDown) context.lineTo(x, y);
    else context.moveTo(x, y);
    isDown = true;
  }
  context.stroke();
}
