/** A panel's question to the server: at most one under way, which can be cancelled. */
import { keepPreviousData, useQuery, useQueryClient, type UseQueryResult } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import type { RequestError } from "../api/failure.ts";
import type { Answer } from "../api/http.ts";
import { explainRange, queryExemplars, queryInstant, queryRange } from "../api/query.ts";
import type { QueryData, RangeSeries, SeriesExemplars } from "../api/types.ts";
import type { TimeGrid } from "../chart/data.ts";
import type { ExplainData } from "./explain.ts";
import { stepMsOf, type PanelState } from "./url.ts";

export interface RangeAnswer extends Answer<{ result: RangeSeries[] }> {
  grid: TimeGrid;
  /** What was asked for; the grid covers it to less than a step. */
  rangeMs: number;
  expr: string;
  /** Empty unless they are shown. */
  exemplars: SeriesExemplars[];
}

export interface InstantAnswer extends Answer<QueryData> {
  expr: string;
  /** When it was evaluated, by the asker's clock. */
  timeMs: number;
}

export interface Running<T> {
  query: UseQueryResult<T, RequestError>;
  wasCancelled: boolean;
  cancel: () => void;
}

function useRun<T>(
  key: readonly unknown[],
  ask: (signal: AbortSignal) => Promise<T>,
  enabled: boolean,
  refreshMs: number | undefined,
): Running<T> {
  const client = useQueryClient();
  const [cancelledKey, setCancelledKey] = useState<string>();
  const keyText = JSON.stringify(key);
  const query = useQuery<T, RequestError>({
    queryKey: key,
    queryFn: ({ signal }) => ask(signal),
    enabled,
    // An answer stays until somebody asks again, or wanted it renewed: no table changes under one's eyes unasked.
    staleTime: Infinity,
    refetchInterval: refreshMs ?? false,
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
    placeholderData: keepPreviousData,
    gcTime: 60_000,
    // Comparing a large answer with the one before costs more than drawing it.
    structuralSharing: false,
  });
  return {
    query,
    wasCancelled: cancelledKey === keyText && !query.isFetching,
    cancel: () => {
      setCancelledKey(keyText);
      void client.cancelQueries({ queryKey: key });
    },
  };
}

/** Whole seconds read better than the exact time, and miss nothing that one could wait for. */
const wholeSecondNow = (): number => Math.floor(Date.now() / 1000) * 1000;

/** `run` counts the user's wishes to run: a new number asks again. */
export function useRange(panel: PanelState, id: number, run: number): Running<RangeAnswer> {
  const { expr, rangeMs, endMs, showsExemplars } = panel;
  const stepMs = stepMsOf(panel);
  return useRun(
    ["range", id, run, expr, rangeMs, endMs, stepMs, showsExemplars],
    async (signal) => {
      const end = endMs ?? wholeSecondNow();
      // The steps are counted from the end: the newest samples are never missed.
      const grid = { startMs: end - Math.floor(rangeMs / stepMs) * stepMs, endMs: end, stepMs };
      const [answer, exemplars] = await Promise.all([
        queryRange(expr, grid, signal),
        showsExemplars ? queryExemplars(expr, grid, signal) : [],
      ]);
      return { ...answer, exemplars, grid, rangeMs, expr };
    },
    expr !== "",
    endMs === undefined ? panel.refreshMs : undefined,
  );
}

/** How the graph's query is carried out. */
export function useExplain(panel: PanelState, id: number, run: number): Running<Answer<ExplainData>> {
  const { expr, rangeMs, endMs } = panel;
  const stepMs = stepMsOf(panel);
  return useRun(
    ["explain", id, run, expr, rangeMs, endMs, stepMs],
    async (signal) => {
      const end = endMs ?? wholeSecondNow();
      return explainRange<ExplainData>(expr, { startMs: end - rangeMs, endMs: end, stepMs }, signal);
    },
    expr !== "",
    endMs === undefined ? panel.refreshMs : undefined,
  );
}

export function useInstant(panel: PanelState, id: number, run: number): Running<InstantAnswer> {
  const { expr, endMs } = panel;
  return useRun(
    ["instant", id, run, expr, endMs],
    async (signal) => {
      const timeMs = endMs ?? wholeSecondNow();
      return { ...(await queryInstant(expr, timeMs, signal)), expr, timeMs };
    },
    expr !== "",
    endMs === undefined ? panel.refreshMs : undefined,
  );
}

/** Milliseconds since `active` became true, renewed ten times a second; 0 while it is false. */
export function useElapsed(active: boolean): number {
  const [elapsedMs, setElapsedMs] = useState(0);
  useEffect(() => {
    if (!active) return;
    const startMs = performance.now();
    setElapsedMs(0);
    const timer = setInterval(() => setElapsedMs(performance.now() - startMs), 100);
    return () => clearInterval(timer);
  }, [active]);
  return active ? elapsedMs : 0;
}
