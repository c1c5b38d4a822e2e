import { useSyncExternalStore } from "react";
import { zoneSetting } from "../base/settings.ts";
import { formatAgo, formatTime, isZeroTime } from "../base/time.ts";

/** One clock for all that shows "… ago": it ticks only while somebody looks. */
let nowMs = Date.now();
let timer: ReturnType<typeof setInterval> | undefined;
const watchers = new Set<() => void>();

function watchClock(watcher: () => void): () => void {
  watchers.add(watcher);
  timer ??= setInterval(() => {
    nowMs = Date.now();
    for (const each of watchers) each();
  }, 1000);
  return () => {
    watchers.delete(watcher);
    if (watchers.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

/** The time now in milliseconds, renewed every second. */
export const useNow = (): number => useSyncExternalStore(watchClock, () => nowMs);

/** A point in time in the chosen zone. */
export function Time({ at }: { at: number | string }): React.JSX.Element {
  const zone = zoneSetting.use();
  const timeMs = typeof at === "string" ? Date.parse(at) : at;
  return (
    <span className="nowrap">
      {isZeroTime(timeMs) ? "never" : formatTime(Math.round(timeMs / 1000) * 1000, zone)}
    </span>
  );
}

/** How long ago, with the point in time behind it. */
export function Ago({ at }: { at: string }): React.JSX.Element {
  const zone = zoneSetting.use();
  const now = useNow();
  const timeMs = Date.parse(at);
  return (
    <span className="nowrap" title={isZeroTime(timeMs) ? undefined : formatTime(timeMs, zone)}>
      {formatAgo(timeMs, now)}
    </span>
  );
}
