/** Go's `time.Time` and `time.Duration` as templates see them. Times are kept to the millisecond. */
import { formatGoDuration } from "../model/index.ts";
import { formatTime } from "./layout.ts";
import { type TemplateFunction, TypedValue, templateFunction, types, type Value } from "./value.ts";
import { wallClock, type Zone, zoneAbbreviation, zoneOffsetMs } from "./zone.ts";

/** Go's zero time, 0001-01-01T00:00:00Z, in Unix milliseconds: what "not set" looks like. */
export const zeroTimeMs = -62_135_596_800_000;

const getter = (read: () => Value): TemplateFunction => templateFunction([], read);
const fromDuration = (call: (duration: DurationValue) => Value): TemplateFunction => ({
  params: [durationType],
  call,
});
const fromTime = (call: (other: TimeValue) => Value): TemplateFunction => ({ params: [timeType], call });
const int = (value: number): bigint => BigInt(Math.trunc(value));

export class TimeValue extends TypedValue {
  readonly typeName = "time.Time";
  readonly unixMs: number;
  readonly zone: Zone;

  constructor(unixMs: number, zone: Zone = "UTC") {
    super();
    this.unixMs = unixMs;
    this.zone = zone;
  }

  override text(): string {
    return formatTime("2006-01-02 15:04:05.999999999 -0700 MST", this.unixMs, this.zone);
  }

  override scalar(): Value {
    return this.unixMs;
  }

  override method(name: string): TemplateFunction | undefined {
    const wall = wallClock(this.zone, this.unixMs);
    const at = (unixMs: number): TimeValue => new TimeValue(unixMs, this.zone);
    switch (name) {
      case "Format":
        return templateFunction([types.string], (layout: string) =>
          formatTime(layout, this.unixMs, this.zone),
        );
      case "String":
        return getter(() => this.text());
      case "Unix":
        return getter(() => int(Math.floor(this.unixMs / 1000)));
      case "UnixMilli":
        return getter(() => int(this.unixMs));
      case "UnixMicro":
        return getter(() => int(this.unixMs) * 1000n);
      case "UnixNano":
        return getter(() => int(this.unixMs) * 1_000_000n);
      case "Year":
        return getter(() => int(wall.getUTCFullYear()));
      case "Month":
        return getter(() => formatTime("January", this.unixMs, this.zone));
      case "Weekday":
        return getter(() => formatTime("Monday", this.unixMs, this.zone));
      case "Day":
        return getter(() => int(wall.getUTCDate()));
      case "YearDay":
        return getter(() => BigInt(formatTime("002", this.unixMs, this.zone)));
      case "Hour":
        return getter(() => int(wall.getUTCHours()));
      case "Minute":
        return getter(() => int(wall.getUTCMinutes()));
      case "Second":
        return getter(() => int(wall.getUTCSeconds()));
      case "Nanosecond":
        return getter(() => int(wall.getUTCMilliseconds()) * 1_000_000n);
      case "Location":
        return getter(() => this.zone);
      case "UTC":
        return getter(() => new TimeValue(this.unixMs));
      case "Local":
        return getter(() => new TimeValue(this.unixMs, "Local"));
      case "IsZero":
        return getter(() => this.unixMs === zeroTimeMs);
      case "Add":
        return fromDuration((duration) => at(this.unixMs + duration.milliseconds()));
      case "Truncate":
        return fromDuration((duration) => at(this.unixMs - remainder(this.unixMs, duration)));
      case "AddDate":
        return templateFunction(
          [types.int, types.int, types.int],
          (years: bigint, months: bigint, days: bigint) => {
            wall.setUTCFullYear(
              wall.getUTCFullYear() + Number(years),
              wall.getUTCMonth() + Number(months),
              wall.getUTCDate() + Number(days),
            );
            return at(wall.getTime() - zoneOffsetMs(this.zone, this.unixMs));
          },
        );
      case "Sub":
        return fromTime((other) => DurationValue.fromMs(this.unixMs - other.unixMs));
      case "Before":
        return fromTime((other) => this.unixMs < other.unixMs);
      case "After":
        return fromTime((other) => this.unixMs > other.unixMs);
      case "Equal":
        return fromTime((other) => this.unixMs === other.unixMs);
      case "Zone":
        return getter(() => zoneAbbreviation(this.zone, this.unixMs));
      default:
        return undefined;
    }
  }
}

/** What is left of a time after cutting it to multiples of `duration` since Go's zero time. */
function remainder(unixMs: number, duration: DurationValue): number {
  const stepMs = duration.milliseconds();
  if (stepMs <= 0) return 0;
  const sinceZeroMs = unixMs - zeroTimeMs;
  return ((sinceZeroMs % stepMs) + stepMs) % stepMs;
}

export class DurationValue extends TypedValue {
  readonly typeName = "time.Duration";
  readonly nanoseconds: bigint;

  constructor(nanoseconds: bigint) {
    super();
    this.nanoseconds = nanoseconds;
  }

  static fromMs(milliseconds: number): DurationValue {
    return new DurationValue(BigInt(Math.round(milliseconds * 1e6)));
  }

  milliseconds(): number {
    return Number(this.nanoseconds) / 1e6;
  }

  override text(): string {
    return formatGoDuration(this.nanoseconds);
  }

  override scalar(): Value {
    return this.nanoseconds;
  }

  override method(name: string): TemplateFunction | undefined {
    const nanoseconds = Number(this.nanoseconds);
    switch (name) {
      case "String":
        return getter(() => this.text());
      case "Hours":
        return getter(() => nanoseconds / 3.6e12);
      case "Minutes":
        return getter(() => nanoseconds / 6e10);
      case "Seconds":
        return getter(() => nanoseconds / 1e9);
      case "Milliseconds":
        return getter(() => this.nanoseconds / 1_000_000n);
      case "Microseconds":
        return getter(() => this.nanoseconds / 1000n);
      case "Nanoseconds":
        return getter(() => this.nanoseconds);
      case "Abs":
        return getter(() => new DurationValue(this.nanoseconds < 0n ? -this.nanoseconds : this.nanoseconds));
      case "Truncate":
        return templateFunction([durationType], (step: DurationValue) => this.#cut(step, 0n));
      case "Round":
        return templateFunction([durationType], (step: DurationValue) =>
          this.#cut(step, step.nanoseconds / 2n),
        );
      default:
        return undefined;
    }
  }

  #cut(step: DurationValue, lift: bigint): DurationValue {
    if (step.nanoseconds <= 0n) return this;
    const sign = this.nanoseconds < 0n ? -1n : 1n;
    const size = sign * this.nanoseconds + lift;
    return new DurationValue(sign * (size - (size % step.nanoseconds)));
  }
}

export const timeType = types.named("time.Time");
export const durationType = types.named("time.Duration");
