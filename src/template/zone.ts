/** Time zones by IANA name, from the runtime's own database. */
import { NarthexError } from "../base/index.ts";
import { quoteGo } from "../model/index.ts";

/** `UTC`, `Local`, an IANA name, or a fixed offset as `+02:00`. */
export type Zone = string;

const formatters = new Map<string, Intl.DateTimeFormat>();
/** Cached formatters; a handful of zones is usual, the bound only keeps hostile templates from growing it. */
const FORMATTERS_MAX = 1000;

function formatter(zone: Zone): Intl.DateTimeFormat {
  let found = formatters.get(zone);
  if (found === undefined) {
    if (formatters.size >= FORMATTERS_MAX) formatters.clear();
    found = new Intl.DateTimeFormat("en-US", { timeZone: intlName(zone), timeZoneName: "longOffset" });
    formatters.set(zone, found);
  }
  return found;
}

function intlName(zone: Zone): string | undefined {
  return zone === "Local" ? undefined : zone;
}

/** Throws `bad_data` when no such zone is known. */
export function checkZone(zone: Zone): void {
  if (zone === "Local" || zone === "UTC") return;
  try {
    formatter(zone);
  } catch {
    throw new NarthexError("bad_data", `unknown time zone ${zone === "" ? quoteGo(zone) : zone}`);
  }
}

/** How far the zone's clock is ahead of UTC at that instant, in milliseconds. */
export function zoneOffsetMs(zone: Zone, timeMs: number): number {
  if (zone === "UTC") return 0;
  const parts = formatter(zone).formatToParts(timeMs);
  const text = parts.find((part) => part.type === "timeZoneName")?.value ?? "";
  const match = /^GMT([+-\u2212])(\d+)(?::(\d+))?(?::(\d+))?$/.exec(text);
  if (match === null) return 0;
  const [, sign, hours, minutes = "0", seconds = "0"] = match;
  const size = (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1000;
  return sign === "+" ? size : -size;
}

/** The wall clock of the zone at that instant, as a Date whose UTC fields are to be read. */
export function wallClock(zone: Zone, timeMs: number): Date {
  return new Date(timeMs + zoneOffsetMs(zone, timeMs));
}

/** The instant at which the zone's wall clock shows `wallMs` (milliseconds as if it were UTC). */
export function fromWallClock(zone: Zone, wallMs: number): number {
  const guess = wallMs - zoneOffsetMs(zone, wallMs);
  return wallMs - zoneOffsetMs(zone, guess);
}

/** Locales that between them know the usual abbreviations; the runtime shows `GMT+1` where a locale has none. */
const ABBREVIATION_LOCALES = ["en-US", "en-GB", "en-AU", "en-NZ", "en-IN", "en-ZA", "ja-JP", "ko-KR"];

/** `CET`, `EST`, `UTC`; where none is known, the offset as `+03`. */
export function zoneAbbreviation(zone: Zone, timeMs: number): string {
  if (zone === "UTC") return "UTC";
  for (const locale of /^[+-]/.test(zone) ? [] : ABBREVIATION_LOCALES) {
    const format = new Intl.DateTimeFormat(locale, { timeZone: intlName(zone), timeZoneName: "short" });
    const name = format.formatToParts(timeMs).find((part) => part.type === "timeZoneName")?.value ?? "";
    if (/^[A-Z]{2,5}$/.test(name)) return name === "GMT" && zone === "Etc/UTC" ? "UTC" : name;
  }
  const minutes = zoneOffsetMs(zone, timeMs) / 60_000;
  const size = Math.abs(minutes);
  const hours = String(Math.floor(size / 60)).padStart(2, "0");
  const rest = Math.floor(size % 60);
  return `${minutes < 0 ? "-" : "+"}${hours}${rest === 0 ? "" : String(rest).padStart(2, "0")}`;
}
