/** Recurring times of the week, month and year in which routes are muted or active. */
import { NarthexError } from "../base/index.ts";
import { type Codec, field, list, mapped, object, text } from "../codec/index.ts";
import { checkZone, wallClock, type Zone } from "../template/index.ts";

/** Both ends belong to it. */
interface Range {
  readonly begin: number;
  readonly end: number;
}

/** Minutes of a day; the end does not belong to it. */
interface MinuteRange {
  readonly startMinute: number;
  readonly endMinute: number;
}

/** Between fields all must hold, within a field any; an absent field holds always. */
export interface TimeInterval {
  readonly times: readonly MinuteRange[] | undefined;
  /** 0 = Sunday. */
  readonly weekdays: readonly Range[] | undefined;
  /** 1 to 31, or -1 to -31 counted from the month's end. */
  readonly daysOfMonth: readonly Range[] | undefined;
  readonly months: readonly Range[] | undefined;
  readonly years: readonly Range[] | undefined;
  /** UTC when absent. */
  readonly location: Zone | undefined;
}

export interface NamedTimeInterval {
  readonly name: string;
  readonly intervals: readonly TimeInterval[];
}

export function containsTime(interval: TimeInterval, timeMs: number): boolean {
  const wall = wallClock(interval.location ?? "UTC", timeMs);
  const minute = wall.getUTCHours() * 60 + wall.getUTCMinutes();
  return (
    (interval.times?.some(({ startMinute, endMinute }) => minute >= startMinute && minute < endMinute) ??
      true) &&
    (interval.daysOfMonth?.some((range) => containsDay(range, wall)) ?? true) &&
    within(interval.months, wall.getUTCMonth() + 1) &&
    within(interval.weekdays, wall.getUTCDay()) &&
    within(interval.years, wall.getUTCFullYear())
  );
}

function within(ranges: readonly Range[] | undefined, value: number): boolean {
  return ranges === undefined || ranges.some(({ begin, end }) => value >= begin && value <= end);
}

function containsDay(range: Range, wall: Date): boolean {
  const days = new Date(Date.UTC(wall.getUTCFullYear(), wall.getUTCMonth() + 1, 0)).getUTCDate();
  const fromStart = (day: number): number => (day < 0 ? days + day + 1 : day);
  const begin = fromStart(range.begin);
  // A range that begins after this month's last day is none of this month's.
  if (begin > days) return false;
  const day = wall.getUTCDate();
  return day >= begin && day <= Math.min(fromStart(range.end), days);
}

const WEEKDAYS = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];
const MONTHS = [
  "january",
  "february",
  "march",
  "april",
  "may",
  "june",
  "july",
  "august",
  "september",
  "october",
  "november",
  "december",
];

function wholeNumber(word: string): number {
  if (/^[+-]?\d+$/.test(word)) return Number(word);
  throw new Error(`strconv.Atoi: parsing "${word}": invalid syntax`);
}

function weekday(word: string): number {
  const index = WEEKDAYS.indexOf(word);
  if (index < 0) throw new Error(`${word} is not a valid weekday`);
  return index;
}

function month(word: string): number {
  const index = MONTHS.indexOf(word);
  if (index >= 0) return index + 1;
  if (!/^[+-]?\d+$/.test(word) || Number(word) < 1 || Number(word) > 12) {
    throw new Error(`${word} is not a valid month`);
  }
  return Number(word);
}

/** `begin:end`, or one member alone. */
function rangeCodec(member: (word: string) => number, check: (range: Range) => void): Codec<Range> {
  const decode = (source: string): Range => {
    const words = source.toLowerCase().split(":");
    if (words.length > 2) throw new Error(`couldn't parse range ${source.toLowerCase()}, invalid format`);
    const begin = member(words[0]!);
    const range = { begin, end: words.length === 2 ? member(words[1]!) : begin };
    check(range);
    return range;
  };
  return mapped(text, decode, ({ begin, end }) => (begin === end ? String(begin) : `${begin}:${end}`));
}

/** The same, printed by name. */
function namedRangeCodec(
  member: (word: string) => number,
  check: (range: Range) => void,
  nameOf: (value: number) => string,
): Codec<Range> {
  const codec = rangeCodec(member, check);
  return {
    decode: (at) => codec.decode(at),
    encode: ({ begin, end }) => (begin === end ? nameOf(begin) : `${nameOf(begin)}:${nameOf(end)}`),
  };
}

function checkDayOfMonth({ begin, end }: Range): void {
  for (const day of [begin, end]) {
    if (day === 0 || day < -31 || day > 31)
      throw new Error(`${day} is not a valid day of the month: out of range`);
  }
  if (begin < 0 && end > 0) throw new Error("end day must be negative if start day is negative");
  // Months differ in length; what would be empty even in the shortest is a mistake.
  const inShortest = (day: number): number => (day < 0 ? 28 + day : day);
  if (inShortest(begin) > inShortest(end))
    throw new Error(`end day ${end} is always before start day ${begin}`);
}

function minuteOfDay(source: string): number {
  if (!/^(?:(?:[01]\d|2[0-3]):[0-5]\d|24:00)$/.test(source)) {
    throw new Error(`couldn't parse timestamp ${source}, invalid format`);
  }
  const [hours, minutes] = source.split(":");
  return Number(hours) * 60 + Number(minutes);
}

function printMinute(minute: number): string {
  return `${String(Math.floor(minute / 60)).padStart(2, "0")}:${String(minute % 60).padStart(2, "0")}`;
}

const minute: Codec<number> = mapped(text, minuteOfDay, printMinute);

const minuteRange = object(
  "timeinterval.yamlTimeRange",
  { startMinute: field("start_time", minute), endMinute: field("end_time", minute) },
  ({ startMinute, endMinute }, mapping): MinuteRange => {
    if (startMinute === undefined || endMinute === undefined) {
      return mapping.at.fail("both start and end times must be provided");
    }
    if (startMinute >= endMinute) mapping.at.fail("start time cannot be equal or greater than end time");
    return { startMinute, endMinute };
  },
);

const zone: Codec<Zone> = mapped(
  text,
  (name) => {
    try {
      checkZone(name === "" ? "UTC" : name);
    } catch (error) {
      if (error instanceof NarthexError) throw new Error(error.message, { cause: error });
      throw error;
    }
    return name === "" ? "UTC" : name;
  },
  (name) => name,
);

const timeInterval = object("timeinterval.TimeInterval", {
  times: field("times", list(minuteRange)),
  weekdays: field(
    "weekdays",
    list(
      namedRangeCodec(
        weekday,
        ({ begin, end }) => {
          if (begin > end) throw new Error("start day cannot be before end day");
        },
        (day) => WEEKDAYS[day]!,
      ),
    ),
  ),
  daysOfMonth: field("days_of_month", list(rangeCodec(wholeNumber, checkDayOfMonth))),
  months: field(
    "months",
    list(
      namedRangeCodec(
        month,
        ({ begin, end }) => {
          if (begin > end) {
            throw new Error(`end month ${MONTHS[end - 1]} is before start month ${MONTHS[begin - 1]}`);
          }
        },
        (number) => MONTHS[number - 1]!,
      ),
    ),
  ),
  years: field(
    "years",
    list(
      rangeCodec(wholeNumber, ({ begin, end }) => {
        if (begin > end) throw new Error(`end year ${end} is before start year ${begin}`);
      }),
    ),
  ),
  location: field("location", zone),
});

/** `what` is upstream's words for the section in the error about a missing name. */
export function namedTimeInterval(what: "mute time interval" | "time interval"): Codec<NamedTimeInterval> {
  return object(
    what === "time interval" ? "config.TimeInterval" : "config.MuteTimeInterval",
    { name: field("name", text, ""), intervals: field("time_intervals", list(timeInterval), []) },
    (value, mapping) => {
      if (value.name === "") mapping.at.fail(`missing name in ${what}`);
      return value;
    },
  );
}

/** Tells which of the named intervals contain an instant. */
export class TimeIntervals {
  readonly #byName: ReadonlyMap<string, readonly TimeInterval[]>;

  constructor(intervals: readonly NamedTimeInterval[]) {
    this.#byName = new Map(intervals.map(({ name, intervals: parts }) => [name, parts]));
  }

  /** Those of `names` whose interval contains the instant. */
  containing(names: readonly string[], timeMs: number): string[] {
    return names.filter((name) => this.#byName.get(name)?.some((interval) => containsTime(interval, timeMs)));
  }
}
