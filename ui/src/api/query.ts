/** PromQL over HTTP. POST, because expressions may be longer than an address can be. */
import { request, requestApi, type Answer } from "./http.ts";
import type { QueryData, RangeSeries, SeriesExemplars } from "./types.ts";
import type { TimeGrid } from "../chart/data.ts";

const seconds = (ms: number): string => (ms / 1000).toFixed(3);

/** `timeMs` undefined asks for now, by the server's clock. */
export function queryInstant(
  expr: string,
  timeMs: number | undefined,
  signal: AbortSignal,
): Promise<Answer<QueryData>> {
  const time = timeMs === undefined ? undefined : seconds(timeMs);
  return requestApi("/query", { method: "POST", params: { query: expr, time }, signal });
}

function rangeParams(expr: string, { startMs, endMs, stepMs }: TimeGrid): Record<string, string> {
  return { query: expr, start: seconds(startMs), end: seconds(endMs), step: seconds(stepMs) };
}

/** How a range query is carried out; its result comes along. */
export function explainRange<T>(expr: string, grid: TimeGrid, signal: AbortSignal): Promise<Answer<T>> {
  const params = { ...rangeParams(expr, grid), stats: "true", explain: "true" };
  return requestApi("/query_range", { method: "POST", params, signal });
}

export function queryRange(
  expr: string,
  grid: TimeGrid,
  signal: AbortSignal,
): Promise<Answer<{ resultType: "matrix"; result: RangeSeries[] }>> {
  const params = rangeParams(expr, grid);
  return requestApi("/query_range", { method: "POST", params, signal });
}

/** The exemplars of all series that the expression selects, none where it selects nothing. */
export async function queryExemplars(
  expr: string,
  { startMs, endMs }: TimeGrid,
  signal: AbortSignal,
): Promise<SeriesExemplars[]> {
  const params = { query: expr, start: seconds(startMs), end: seconds(endMs) };
  const response = await request("/api/v1/query_exemplars", { method: "POST", params, signal });
  if (response.status === 204) return [];
  return ((await response.json()) as { data: SeriesExemplars[] }).data;
}
