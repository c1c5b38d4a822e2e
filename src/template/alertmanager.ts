/** The functions of notification templates. */
import { NarthexError } from "../base/index.ts";
import { quoteGo } from "../model/index.ts";
import { sharedFunctions, titleCase } from "./functions.ts";
import { toJson } from "./json.ts";
import { parseTime, formatTime } from "./layout.ts";
import { DurationValue, TimeValue, timeType, zeroTimeMs } from "./time.ts";
import {
  type FunctionMap,
  ListValue,
  MapValue,
  SafeText,
  stringList,
  templateFunction,
  types,
  type Value,
} from "./value.ts";
import { checkZone } from "./zone.ts";

const { any, list, string, strings } = types;

/** Alertmanager's functions; `nowMs` tells the time for `now` and `since`. */
export function alertmanagerFunctions(nowMs: () => number): FunctionMap {
  return new Map([
    ...sharedFunctions,
    ["title", templateFunction([string], (text: string) => titleCase(text, true))],
    ["trimSpace", templateFunction([string], (text: string) => text.trim())],
    ["join", templateFunction([string, strings], join)],
    ["safeUrl", templateFunction([string], (text: string) => new SafeText("URL", text))],
    ["urlUnescape", templateFunction([string], urlUnescape)],
    ["stringSlice", templateFunction([], (...items: string[]) => stringList(items), string)],
    // The dispatcher puts the real one in its place for each notification.
    ["routeLabels", templateFunction([string], () => "")],
    [
      "date",
      templateFunction([string, timeType], (layout: string, time: TimeValue) =>
        formatTime(layout, time.unixMs, time.zone),
      ),
    ],
    ["tz", templateFunction([string, timeType], inZone)],
    ["now", templateFunction([], () => new TimeValue(nowMs(), "Local"))],
    ["since", templateFunction([timeType], (time: TimeValue) => DurationValue.fromMs(nowMs() - time.unixMs))],
    ["toDate", templateFunction([string, string], toDate)],
    [
      "mustToDate",
      templateFunction(
        [string, string],
        (layout: string, text: string) => new TimeValue(parseTime(layout, text)),
      ),
    ],
    ["toJson", templateFunction([any], toJson)],
    ["base64encode", templateFunction([string], base64Encode)],
    ["base64decode", templateFunction([string], base64Decode)],
    ["list", templateFunction([], (...items: Value[]) => new ListValue(items), any)],
    [
      "append",
      templateFunction(
        [list],
        (head: ListValue | null, ...tail: Value[]) => new ListValue([...(head?.items ?? []), ...tail]),
        any,
      ),
    ],
    ["dict", templateFunction([], dict, any)],
  ]);
}

function join(separator: string, items: ListValue | null): string {
  return ((items?.items ?? []) as string[]).join(separator);
}

function urlUnescape(text: string): string {
  const bad = /%(?![0-9a-fA-F]{2})[\s\S]{0,2}/.exec(text)?.[0];
  if (bad !== undefined) throw new NarthexError("execution", `invalid URL escape ${quoteGo(bad)}`);
  const octets = Buffer.from(text.replaceAll("+", " ")).toString("latin1");
  const decoded = octets.replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) =>
    String.fromCharCode(parseInt(hex, 16)),
  );
  return Buffer.from(decoded, "latin1").toString("utf8");
}

function inZone(name: string, time: TimeValue): TimeValue {
  const zone = name === "" ? "UTC" : name;
  checkZone(zone);
  return new TimeValue(time.unixMs, zone);
}

/** The zero time where the text is no such date. */
function toDate(layout: string, text: string): TimeValue {
  try {
    return new TimeValue(parseTime(layout, text));
  } catch (error) {
    if (!(error instanceof NarthexError)) throw error;
    return new TimeValue(zeroTimeMs);
  }
}

/** With the URL-safe alphabet and padding. */
function base64Encode(text: string): string {
  return Buffer.from(text).toString("base64").replaceAll("+", "-").replaceAll("/", "_");
}

function base64Decode(text: string): string {
  const bad = text.search(/[^A-Za-z0-9_=-]/);
  if (bad >= 0 || text.length % 4 !== 0 || /=[^=]|===$/.test(text)) {
    throw new NarthexError("execution", `illegal base64 data at input byte ${bad < 0 ? text.length : bad}`);
  }
  return Buffer.from(text, "base64url").toString("utf8");
}

function dict(...values: Value[]): MapValue {
  if (values.length % 2 !== 0)
    throw new NarthexError("execution", "dict requires an even number of arguments");
  const entries = new Map<string, Value>();
  for (let i = 0; i < values.length; i += 2) {
    const key = values[i];
    if (typeof key !== "string") throw new NarthexError("execution", "dict keys must be strings");
    entries.set(key, values[i + 1]);
  }
  return new MapValue(entries);
}
