/** Go's time layouts: text that shows how the reference time Mon Jan 2 15:04:05 MST 2006 would look. */
import { NarthexError } from "../base/index.ts";
import { quoteGo } from "../model/index.ts";
import { fromWallClock, wallClock, type Zone, zoneAbbreviation, zoneOffsetMs } from "./zone.ts";

const MONTHS = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
];
const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/** The elements of a layout, longest first where one begins another. `_2006` is a literal `_` and a year. */
const ELEMENT =
  /January|Jan(?![a-z])|Monday|Mon(?![a-z])|MST|2006|__2|_2(?!006)|002|01|02|03|04|05|06|15|1|2|3|4|5|PM|pm|Z07:00:00|Z070000|Z07:00|Z0700|Z07|-07:00:00|-070000|-07:00|-0700|-07|[.,](?:0+|9+)(?![0-9])/g;

const pad = (value: number, width: number, fill = "0"): string => String(value).padStart(width, fill);

/** Writes the instant in the zone as `layout` shows. */
export function formatTime(layout: string, unixMs: number, zone: Zone): string {
  const wall = wallClock(zone, unixMs);
  return layout.replace(ELEMENT, (element) => formatElement(element, wall, unixMs, zone));
}

function formatElement(element: string, wall: Date, unixMs: number, zone: Zone): string {
  switch (element) {
    case "January":
      return MONTHS[wall.getUTCMonth()]!;
    case "Jan":
      return MONTHS[wall.getUTCMonth()]!.slice(0, 3);
    case "Monday":
      return DAYS[wall.getUTCDay()]!;
    case "Mon":
      return DAYS[wall.getUTCDay()]!.slice(0, 3);
    case "2006":
      return pad(wall.getUTCFullYear(), 4);
    case "06":
      return pad(wall.getUTCFullYear() % 100, 2);
    case "01":
    case "1":
      return pad(wall.getUTCMonth() + 1, element.length);
    case "02":
    case "2":
      return pad(wall.getUTCDate(), element.length);
    case "_2":
      return pad(wall.getUTCDate(), 2, " ");
    case "002":
    case "__2":
      return pad(yearDay(wall), 3, element === "002" ? "0" : " ");
    case "15":
      return pad(wall.getUTCHours(), 2);
    case "03":
    case "3":
      return pad(wall.getUTCHours() % 12 || 12, element.length);
    case "04":
    case "4":
      return pad(wall.getUTCMinutes(), element.length);
    case "05":
    case "5":
      return pad(wall.getUTCSeconds(), element.length);
    case "PM":
      return wall.getUTCHours() < 12 ? "AM" : "PM";
    case "pm":
      return wall.getUTCHours() < 12 ? "am" : "pm";
    case "MST":
      return zoneAbbreviation(zone, unixMs);
  }
  if (element[0] === "." || element[0] === ",") return formatFraction(element, wall.getUTCMilliseconds());
  return formatOffset(element, zoneOffsetMs(zone, unixMs));
}

function yearDay(wall: Date): number {
  return Math.floor((wall.getTime() - Date.UTC(wall.getUTCFullYear(), 0, 1)) / 86_400_000) + 1;
}

/** `.000` keeps zeros, `.999` drops them and a bare point with them. */
function formatFraction(element: string, milliseconds: number): string {
  const digits = pad(Math.floor(milliseconds), 3)
    .padEnd(9, "0")
    .slice(0, element.length - 1);
  const kept = element[1] === "9" ? digits.replace(/0+$/, "") : digits.padEnd(element.length - 1, "0");
  return kept === "" ? "" : element[0] + kept;
}

function formatOffset(element: string, offsetMs: number): string {
  if (element.startsWith("Z") && offsetMs === 0) return "Z";
  const seconds = Math.abs(offsetMs) / 1000;
  const colon = element.includes(":") ? ":" : "";
  let text = (offsetMs < 0 ? "-" : "+") + pad(Math.floor(seconds / 3600), 2);
  const digits = element.replace(/[^0-9]/g, "").length;
  if (digits >= 4) text += colon + pad(Math.floor(seconds / 60) % 60, 2);
  if (digits >= 6) text += colon + pad(seconds % 60, 2);
  return text;
}

/** RFC 3339 as Go writes it: no fraction when it is zero, no trailing zeros in it. */
export function formatRfc3339(unixMs: number): string {
  return formatTime("2006-01-02T15:04:05.999999999Z07:00", unixMs, "UTC");
}

/** What each element of a layout accepts when a time is read. */
const READERS: Record<string, string> = {
  January: `(?:${MONTHS.join("|")})`,
  Jan: `(?:${MONTHS.map((month) => month.slice(0, 3)).join("|")})`,
  Monday: `(?:${DAYS.join("|")})`,
  Mon: `(?:${DAYS.map((day) => day.slice(0, 3)).join("|")})`,
  "2006": "\\d{4}",
  "06": "\\d{2}",
  "01": "\\d{2}",
  "02": "\\d{2}",
  _2: "[ \\d]?\\d",
  "002": "\\d{3}",
  __2: "[ \\d]{0,2}\\d",
  "15": "\\d{1,2}",
  "03": "\\d{1,2}",
  "04": "\\d{2}",
  "05": "\\d{2}",
  PM: "[AP]M",
  pm: "[ap]m",
  MST: "[A-Z]{3,5}|[+-]\\d{2}(?:\\d{2})?",
};

/** Reads `text` by `layout`, in UTC unless it says otherwise. Throws `bad_data` with Go's message. */
export function parseTime(layout: string, text: string): number {
  const elements: string[] = [];
  let pattern = "";
  let position = 0;
  for (const match of layout.matchAll(ELEMENT)) {
    pattern += escapePattern(layout.slice(position, match.index)) + `(${reader(match[0])})`;
    elements.push(match[0]);
    // Seconds may be followed by a fraction that the layout does not show.
    const next = layout[match.index + match[0].length];
    if (/^0?5$/.test(match[0]) && next !== "." && next !== ",") {
      pattern += "([.,]\\d+)?";
      elements.push(".9");
    }
    position = match.index + match[0].length;
  }
  pattern += escapePattern(layout.slice(position));
  const found = new RegExp(`^${pattern}$`).exec(text);
  const time = found === null ? undefined : assemble(elements, found.slice(1));
  if (time === undefined) {
    const [wanted, given] = [quoteGo(layout), quoteGo(text)];
    throw new NarthexError(
      "bad_data",
      `parsing time ${given} as ${wanted}: cannot parse ${given} as ${wanted}`,
    );
  }
  return time;
}

function escapePattern(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

function reader(element: string): string {
  const fixed = READERS[element];
  if (fixed !== undefined) return fixed;
  if (element.startsWith(".0") || element.startsWith(",0")) return `[.,]\\d{${element.length - 1}}`;
  if (/^[.,]/.test(element)) return "(?:[.,]\\d+)?";
  if (/^[1-5]$/.test(element)) return "\\d{1,2}";
  const colon = element.includes(":") ? ":" : "";
  const digits = element.replace(/[^0-9]/g, "").length;
  const offset = `[+-]\\d{2}${`${colon}\\d{2}`.repeat(digits / 2 - 1)}`;
  return element.startsWith("Z") ? `Z|${offset}` : offset;
}

function assemble(elements: readonly string[], values: readonly string[]): number | undefined {
  let [year, month, day, hour, minute, second, fractionMs] = [0, 1, 1, 0, 0, 0, 0];
  let [dayOfYear, afternoon, offsetMs]: [number | undefined, boolean | undefined, number] = [
    undefined,
    undefined,
    0,
  ];
  elements.forEach((element, i) => {
    const value = values[i] ?? "";
    const number = Number(value);
    if (element === "2006") year = number;
    else if (element === "06") year = number < 69 ? 2000 + number : 1900 + number;
    else if (element.startsWith("Jan"))
      month = MONTHS.findIndex((name) => name.startsWith(value.slice(0, 3))) + 1;
    else if (/^0?1$/.test(element)) month = number;
    else if (/^[0_]?2$/.test(element)) day = number;
    else if (element === "002" || element === "__2") dayOfYear = number;
    else if (/^(?:15|0?3)$/.test(element)) hour = number;
    else if (/^0?4$/.test(element)) minute = number;
    else if (/^0?5$/.test(element)) second = number;
    else if (element.toUpperCase() === "PM") afternoon = value.toUpperCase() === "PM";
    else if (/^[.,]/.test(element)) fractionMs = value === "" ? 0 : Number(`0.${value.slice(1)}`) * 1000;
    else if (/^[Z-]/.test(element)) offsetMs = readOffset(value);
  });
  if (afternoon !== undefined) hour = (hour % 12) + (afternoon ? 12 : 0);
  const days = new Date(Date.UTC(2000 + (year % 400), month, 0)).getUTCDate();
  if (month < 1 || month > 12 || day < 1 || day > days) return undefined;
  if (hour > 23 || minute > 59 || second > 59) return undefined;
  const date = new Date(0);
  date.setUTCFullYear(year, dayOfYear === undefined ? month - 1 : 0, dayOfYear ?? day);
  date.setUTCHours(hour, minute, second, Math.trunc(fractionMs));
  return fromWallClock("UTC", date.getTime()) - offsetMs;
}

function readOffset(text: string): number {
  if (text === "Z" || text === "") return 0;
  const digits = text.replace(/[^0-9]/g, "").padEnd(6, "0");
  const seconds =
    Number(digits.slice(0, 2)) * 3600 + Number(digits.slice(2, 4)) * 60 + Number(digits.slice(4, 6));
  return (text.startsWith("-") ? -seconds : seconds) * 1000;
}
