/** The query page's whole state as its address, with upstream's parameter names: `g0.expr=up&g0.tab=graph&…`. */
import { formatDuration, parseDuration } from "../base/duration.ts";
import { formatTime, parseTime } from "../base/time.ts";

export type Density = "low" | "medium" | "high";

export type Resolution = { type: "auto"; density: Density } | { type: "step"; stepMs: number };

export interface PanelState {
  /** What was run last; what is being typed is not in the address. */
  expr: string;
  tab: "table" | "graph" | "explain";
  rangeMs: number;
  /** End of the graph and moment of the table; `undefined` is now. */
  endMs: number | undefined;
  resolution: Resolution;
  stacked: boolean;
  showsExemplars: boolean;
  /** How often a panel that ends now is run again by itself; `undefined` is never. */
  refreshMs: number | undefined;
}

/** How many points a graph of each density is evaluated at. */
const densityPoints: Record<Density, number> = { low: 100, medium: 250, high: 750 };

const stepMsMin = 1000;

/** An address must not make a browser hammer the server. */
const refreshMsMin = 1000;

export function newPanel(given: Partial<PanelState> = {}): PanelState {
  return {
    expr: "",
    tab: "table",
    rangeMs: 3_600_000,
    endMs: undefined,
    resolution: { type: "auto", density: "medium" },
    stacked: false,
    showsExemplars: false,
    refreshMs: undefined,
    ...given,
  };
}

/** The distance of a graph's points in milliseconds, whole seconds when it is chosen automatically. */
export function stepMsOf({ resolution, rangeMs }: Pick<PanelState, "resolution" | "rangeMs">): number {
  if (resolution.type === "step") return resolution.stepMs;
  const stepMs = Math.floor(rangeMs / densityPoints[resolution.density] / 1000) * 1000;
  return Math.max(stepMs, stepMsMin);
}

/** The panels of an address, at least one. Also reads what older versions wrote (`tab=0`, `step_input`, `stacked`). */
export function decodePanels(search: string): PanelState[] {
  const byIndex = new Map<number, Map<string, string>>();
  for (const [key, value] of new URLSearchParams(search)) {
    const parts = /^g(\d{1,4})\.(\w+)$/.exec(key);
    if (parts === null) continue;
    const index = Number(parts[1]);
    const fields = byIndex.get(index) ?? new Map<string, string>();
    byIndex.set(index, fields.set(parts[2]!, value));
  }
  const panels = [...byIndex].sort(([a], [b]) => a - b).map(([, fields]) => decodePanel(fields));
  return panels.length === 0 ? [newPanel()] : panels;
}

function decodePanel(fields: ReadonlyMap<string, string>): PanelState {
  const panel = newPanel({ expr: fields.get("expr") ?? "" });
  const tab = fields.get("tab");
  if (tab === "graph" || tab === "0") panel.tab = "graph";
  if (tab === "explain") panel.tab = "explain";
  const rangeMs = parseDuration(fields.get("range_input") ?? "");
  if (rangeMs !== undefined && rangeMs > 0) panel.rangeMs = rangeMs;
  panel.endMs = parseTime(fields.get("end_input") || fields.get("moment_input") || "", "utc");
  panel.stacked = fields.get("display_mode") === "stacked" || fields.get("stacked") === "1";
  panel.showsExemplars = fields.get("show_exemplars") === "1";
  panel.resolution = decodeResolution(fields);
  const refreshMs = parseDuration(fields.get("refresh_input") ?? "");
  if (refreshMs !== undefined) panel.refreshMs = Math.max(refreshMs, refreshMsMin);
  return panel;
}

function decodeResolution(fields: ReadonlyMap<string, string>): Resolution {
  const density = fields.get("res_density");
  const stepS = Number(fields.get("res_step") ?? fields.get("step_input"));
  if (fields.get("res_type") !== "auto" && Number.isFinite(stepS) && stepS > 0)
    return { type: "step", stepMs: Math.max(1, Math.round(stepS * 1000)) };
  return { type: "auto", density: density === "low" || density === "high" ? density : "medium" };
}

/** The query string, without its question mark. What is as by default is left out, but for what a reader looks for. */
export function encodePanels(panels: readonly PanelState[]): string {
  const params = new URLSearchParams();
  panels.forEach((panel, index) => {
    const put = (name: string, value: string): void => params.set(`g${index}.${name}`, value);
    put("expr", panel.expr);
    put("tab", panel.tab);
    put("range_input", formatDuration(panel.rangeMs));
    if (panel.endMs !== undefined) put("end_input", formatTime(panel.endMs, "utc"));
    if (panel.refreshMs !== undefined) put("refresh_input", formatDuration(panel.refreshMs));
    if (panel.stacked) put("display_mode", "stacked");
    if (panel.showsExemplars) put("show_exemplars", "1");
    if (panel.resolution.type === "step") {
      put("res_type", "custom");
      put("res_step", String(panel.resolution.stepMs / 1000));
    } else if (panel.resolution.density !== "medium") {
      put("res_type", "auto");
      put("res_density", panel.resolution.density);
    }
  });
  return params.toString();
}
