/** Whether the server is there: asked all the time, so that every page can say so. */
import { useQuery, type UseQueryResult } from "@tanstack/react-query";
import { wasReady } from "../base/page-globals.ts";
import { queryClient } from "./client.ts";
import { RequestError } from "./failure.ts";
import { request, requestApi } from "./http.ts";
import type { WalReplay } from "./types.ts";

export type ServerState =
  | { name: "ready" }
  | { name: "starting"; replay?: WalReplay }
  | { name: "stopping" }
  | { name: "unreachable"; sinceMs: number };

const readyPollMs = 5000;
const troublePollMs = 1000;

async function askState(previous: ServerState | undefined, signal: AbortSignal): Promise<ServerState> {
  try {
    const response = await fetchReady(signal);
    if (response === "ready") return { name: "ready" };
    if (response === "stopping") return { name: "stopping" };
    const replay = await requestApi<WalReplay>("/status/walreplay", { signal }).catch(() => undefined);
    return { name: "starting", ...(replay && { replay: replay.data }) };
  } catch (error) {
    if (signal.aborted) throw error;
    return { name: "unreachable", sinceMs: previous?.name === "unreachable" ? previous.sinceMs : Date.now() };
  }
}

async function fetchReady(signal: AbortSignal): Promise<"ready" | "starting" | "stopping"> {
  try {
    await request("/-/ready", { signal });
    return "ready";
  } catch (error) {
    if (error instanceof RequestError && error.kind === "not ready") {
      return error.stopping ? "stopping" : "starting";
    }
    // An answer of any other kind is still an answer.
    if (error instanceof RequestError && error.kind !== "unreachable") return "ready";
    throw error;
  }
}

const stateKey = ["server state"];

export function useServerState(): UseQueryResult<ServerState> {
  return useQuery<ServerState>({
    queryKey: stateKey,
    ...(!wasReady && { initialData: { name: "starting" as const } }),
    queryFn: async ({ signal }) => {
      const previous = queryClient.getQueryData<ServerState>(stateKey);
      const state = await askState(previous, signal);
      // Whatever failed while the server was away is asked again as soon as it is back.
      if (state.name === "ready" && previous !== undefined && previous.name !== "ready") {
        void queryClient.invalidateQueries({ predicate: (query) => query.state.status === "error" });
      }
      return state;
    },
    refetchInterval: (query) => (query.state.data?.name === "ready" ? readyPollMs : troublePollMs),
  });
}

/** When any request finds no server, the state is asked at once: the banner does not wait for the next poll. */
export function watchForTrouble(): void {
  queryClient.getQueryCache().subscribe((event) => {
    if (event.type !== "updated" || event.action.type !== "error") return;
    const { error } = event.action as { error: unknown };
    const lost =
      error instanceof RequestError && (error.kind === "unreachable" || error.kind === "not ready");
    if (lost && queryClient.getQueryData<ServerState>(stateKey)?.name === "ready") {
      void queryClient.invalidateQueries({ queryKey: stateKey });
    }
  });
}
