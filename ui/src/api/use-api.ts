/** Requests as TanStack queries: cached, shared between components, aborted when nobody waits any more. */
import { useQuery, type UseQueryResult } from "@tanstack/react-query";
import type { RequestError } from "./failure.ts";
import { requestApi, requestJson, type Answer, type Params } from "./http.ts";

interface Options {
  /** Ask again after so many milliseconds, as long as the page is visible. */
  refreshMs?: number;
  enabled?: boolean;
}

/** GET below /api/v1. */
export function useApi<T>(
  path: string,
  params?: Params,
  options: Options = {},
): UseQueryResult<Answer<T>, RequestError> {
  return useQuery<Answer<T>, RequestError>({
    queryKey: ["api", path, params ?? {}],
    queryFn: ({ signal }) => requestApi<T>(path, { signal, ...(params && { params }) }),
    refetchInterval: refreshUnlessMissing(options.refreshMs),
    enabled: options.enabled ?? true,
  });
}

/** GET of bare JSON. */
export function useJson<T>(
  path: string,
  params?: Params,
  options: Options = {},
): UseQueryResult<T, RequestError> {
  return useQuery<T, RequestError>({
    queryKey: ["json", path, params ?? {}],
    queryFn: ({ signal }) => requestJson<T>(path, { signal, ...(params && { params }) }),
    refetchInterval: refreshUnlessMissing(options.refreshMs),
    enabled: options.enabled ?? true,
  });
}

/** What the server does not offer is not asked for over and over. */
function refreshUnlessMissing(
  refreshMs: number | undefined,
): (query: { state: { error: RequestError | null } }) => number | false {
  return ({ state }) => (state.error?.kind === "missing" ? false : (refreshMs ?? false));
}
