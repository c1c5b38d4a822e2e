/** Colours that a canvas needs as plain values, for both themes. */

export type Scheme = "light" | "dark";

/** Ten hues that stay apart from each other, also for most colour-blind eyes; the first is the accent. */
const hues: Record<Scheme, readonly string[]> = {
  light: [
    "#2563c4",
    "#d9730d",
    "#15803d",
    "#b02a58",
    "#0e8f9b",
    "#8250c4",
    "#a16207",
    "#52606d",
    "#d64545",
    "#5f8a0b",
  ],
  dark: [
    "#6ea8fe",
    "#f0a04b",
    "#5cc27a",
    "#f0729a",
    "#46c6d0",
    "#b794f6",
    "#dcc04a",
    "#a3b1bf",
    "#ff8577",
    "#a9cf54",
  ],
};

/** The colour of the n-th series; after ten they come round again. */
export const seriesColor = (index: number, scheme: Scheme): string =>
  hues[scheme][index % hues[scheme].length]!;

export const chartInk: Record<Scheme, { panel: string; text: string; grid: string; tick: string }> = {
  light: { panel: "#ffffff", text: "#5b6672", grid: "#e8ebef", tick: "#cfd5dc" },
  dark: { panel: "#191e25", text: "#939eab", grid: "#262c34", tick: "#3a424d" },
};

/** A `#rrggbb` colour with an opacity of 0..1. */
export function translucent(color: string, opacity: number): string {
  return (
    color +
    Math.round(opacity * 255)
      .toString(16)
      .padStart(2, "0")
  );
}
