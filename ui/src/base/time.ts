/** Points in time, held as milliseconds since the epoch, shown in the viewer's zone or in UTC. */
import { humanizeDuration } from "./duration.ts";

export type Zone = "local" | "utc";

const two = (value: number): string => String(value).padStart(2, "0");

interface Fields {
  date: string;
  time: string;
  ms: number;
}

function fieldsOf(timeMs: number, zone: Zone): Fields {
  const at = new Date(timeMs);
  return zone === "utc"
    ? {
        date: `${at.getUTCFullYear()}-${two(at.getUTCMonth() + 1)}-${two(at.getUTCDate())}`,
        time: `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}:${two(at.getUTCSeconds())}`,
        ms: at.getUTCMilliseconds(),
      }
    : {
        date: `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`,
        time: `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`,
        ms: at.getMilliseconds(),
      };
}

/** "2026-11-20 06:02:34", with ".250" where there are milliseconds to show. */
export function formatTime(timeMs: number, zone: Zone): string {
  if (!Number.isFinite(timeMs)) return "–";
  const { date, time, ms } = fieldsOf(timeMs, zone);
  return ms === 0 ? `${date} ${time}` : `${date} ${time}.${String(ms).padStart(3, "0")}`;
}

/** Only the time of day: "06:02:34". */
export const formatClock = (timeMs: number, zone: Zone): string => fieldsOf(timeMs, zone).time;

/** Reads what `formatTime` writes, also without seconds or without the time; `undefined` when it is no time. */
export function parseTime(text: string, zone: Zone): number | undefined {
  const parts = /^(\d{4})-(\d{1,2})-(\d{1,2})(?:[ T](\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,3}))?)?)?Z?$/.exec(
    text.trim(),
  );
  if (parts === null) return undefined;
  const [year, month, day, hour, minute, second] = parts.slice(1, 7).map((part) => Number(part ?? 0));
  const ms = Number((parts[7] ?? "0").padEnd(3, "0"));
  const fields = [year!, month! - 1, day!, hour!, minute!, second!, ms] as const;
  const timeMs = zone === "utc" ? Date.UTC(...fields) : new Date(...fields).getTime();
  // A 31st of February rolls over to March: that is not what was meant.
  return fieldsOf(timeMs, zone).date === `${year}-${two(month!)}-${two(day!)}` ? timeMs : undefined;
}

/** "3.2 s ago", "in 4m 10s", "never" for Go's zero time. */
export function formatAgo(timeMs: number, nowMs: number): string {
  if (isZeroTime(timeMs)) return "never";
  const agoMs = nowMs - timeMs;
  if (Math.abs(agoMs) < 1000) return "just now";
  const seconds = Math.round(agoMs / 1000) * 1000;
  return agoMs > 0 ? `${humanizeDuration(seconds)} ago` : `in ${humanizeDuration(-seconds)}`;
}

/** Go's zero time.Time, 0001-01-01, is how the API says "not yet". */
export const isZeroTime = (timeMs: number): boolean =>
  !Number.isFinite(timeMs) || timeMs < -62_000_000_000_000;

/** "UTC" or the viewer's offset now, "UTC+05:30". */
export function zoneName(zone: Zone): string {
  const minutes = -new Date().getTimezoneOffset();
  if (zone === "utc" || minutes === 0) return "UTC";
  const size = Math.abs(minutes);
  return `UTC${minutes < 0 ? "−" : "+"}${Math.floor(size / 60)}${size % 60 === 0 ? "" : `:${two(size % 60)}`}`;
}
