/** Range queries that move with the time. */
import { useQuery, type UseQueryResult } from "@tanstack/react-query";
import type { RequestError } from "../api/failure.ts";
import { requestApi } from "../api/http.ts";
import { queryInstant, queryRange } from "../api/query.ts";
import type { InstantSeries, TargetsData } from "../api/types.ts";
import { parseDuration } from "../base/duration.ts";
import { alignSeries, gridTimes, type SeriesColumn, type TimeGrid } from "../chart/data.ts";

/** How many points a small chart is drawn with, at most. */
const pointsMax = 240;

/** The shortest step, and with it the shortest pause between two questions. */
const stepMsMin = 2000;

const scrapeIntervalMsAssumed = 15_000;

export interface LiveWindow {
  rangeMs: number;
  stepMs: number;
  /** What rate() looks back over, in PromQL. */
  rateWindow: string;
}

/** A step finer than the scrapes would only repeat samples; a rate needs a few of them to be calm. */
export function liveWindow(rangeMs: number, scrapeIntervalMs: number): LiveWindow {
  const stepMs =
    Math.ceil(Math.max(stepMsMin, rangeMs / pointsMax, Math.min(scrapeIntervalMs, rangeMs / 30)) / 1000) *
    1000;
  return { rangeMs, stepMs, rateWindow: `${Math.ceil(Math.max(4 * scrapeIntervalMs, stepMs) / 1000)}s` };
}

const refreshMsOf = ({ stepMs }: LiveWindow): number => Math.min(Math.max(stepMs, 5000), 60_000);

export interface LiveData {
  times: number[];
  series: SeriesColumn[];
  grid: TimeGrid;
}

export function useLiveRange(
  expr: string,
  window: LiveWindow,
  enabled: boolean,
): UseQueryResult<LiveData, RequestError> {
  return useQuery<LiveData, RequestError>({
    queryKey: ["live", expr, window],
    queryFn: async ({ signal }) => {
      // Steps at multiples of the step: a point keeps its value when the window moves on.
      const endMs = Math.floor(Date.now() / window.stepMs) * window.stepMs;
      const grid = { startMs: endMs - window.rangeMs, endMs, stepMs: window.stepMs };
      const { data } = await queryRange(expr, grid, signal);
      return { times: gridTimes(grid), series: alignSeries(data.result, grid), grid };
    },
    structuralSharing: false,
    refetchInterval: refreshMsOf(window),
    enabled,
  });
}

/** How soon an empty answer is asked for again: on a young server something is about to come. */
const emptyRefreshMs = 2000;

/** An instant vector, asked again and again. */
export function useLiveVector(
  expr: string,
  refreshMs: number,
  enabled = true,
): UseQueryResult<InstantSeries[], RequestError> {
  return useQuery<InstantSeries[], RequestError>({
    queryKey: ["live vector", expr],
    queryFn: async ({ signal }) => {
      const { data } = await queryInstant(expr, undefined, signal);
      return data.resultType === "vector" ? data.result : [];
    },
    refetchInterval: ({ state }) =>
      state.data?.length === 0 ? Math.min(emptyRefreshMs, refreshMs) : refreshMs,
    enabled,
  });
}

/** How often a target is scraped, in milliseconds; a guess until it is known. */
export function useScrapeInterval(job: string | undefined, instance: string | undefined): number {
  const { data } = useQuery<number, RequestError>({
    queryKey: ["scrape interval", job, instance],
    queryFn: async ({ signal }) => {
      const { data } = await requestApi<TargetsData>("/targets", {
        params: { state: "active", scrapePool: job },
        signal,
      });
      const target = data.activeTargets?.find(
        ({ labels }) => labels["job"] === job && labels["instance"] === instance,
      );
      return parseDuration(target?.scrapeInterval ?? "") ?? scrapeIntervalMsAssumed;
    },
    staleTime: 60_000,
    enabled: job !== undefined,
  });
  return data ?? scrapeIntervalMsAssumed;
}
