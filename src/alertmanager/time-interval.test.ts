import assert from "node:assert/strict";
import { test } from "node:test";
import { Place } from "../codec/index.ts";
import { containsTime, namedTimeInterval } from "./time-interval.ts";

function parse(yaml: string) {
  const codec = namedTimeInterval("time interval");
  return codec.decode(Place.parse(`{name: x, time_intervals: [${yaml}]}`, "am.yml")).intervals[0]!;
}

test("times inside and outside", () => {
  const cases: [string, string[], string[]][] = [
    [
      "{times: [{start_time: '09:00', end_time: '17:00'}], weekdays: ['monday:friday']}",
      ["2026-07-08T09:00:00Z", "2026-07-10T16:59:59Z"],
      ["2026-07-08T08:59:59Z", "2026-07-08T17:00:00Z", "2026-07-11T12:00:00Z"],
    ],
    [
      "{times: [{start_time: '22:00', end_time: '24:00'}]}",
      ["2026-07-08T23:59:59Z"],
      ["2026-07-09T00:00:00Z"],
    ],
    ["{days_of_month: ['-1']}", ["2026-02-28T12:00:00Z", "2024-02-29T12:00:00Z"], ["2024-02-28T12:00:00Z"]],
    [
      "{days_of_month: ['1:5', '-3:-1']}",
      ["2026-04-05T00:00:00Z", "2026-04-28T00:00:00Z"],
      ["2026-04-27T00:00:00Z"],
    ],
    ["{days_of_month: ['30:31']}", ["2026-04-30T00:00:00Z"], ["2026-02-28T00:00:00Z"]],
    [
      "{months: ['january:march', '12']}",
      ["2026-03-31T23:00:00Z", "2026-12-01T00:00:00Z"],
      ["2026-04-01T00:00:00Z"],
    ],
    [
      "{years: ['2024:2026', '2030']}",
      ["2025-01-01T00:00:00Z", "2030-01-01T00:00:00Z"],
      ["2027-01-01T00:00:00Z"],
    ],
    ["{weekdays: ['Sunday', 'saturday']}", ["2026-07-12T00:00:00Z"], ["2026-07-13T00:00:00Z"]],
    [
      "{times: [{start_time: '09:00', end_time: '10:00'}], location: Europe/Berlin}",
      ["2026-07-08T07:30:00Z", "2026-01-08T08:30:00Z"],
      ["2026-07-08T08:30:00Z", "2026-01-08T07:30:00Z"],
    ],
    [
      "{weekdays: ['monday'], location: Australia/Sydney}",
      ["2026-07-05T14:30:00Z"],
      ["2026-07-06T14:30:00Z"],
    ],
    ["{}", ["2026-07-05T14:30:00Z"], []],
    ["{weekdays: []}", [], ["2026-07-05T14:30:00Z"]],
  ];
  for (const [yaml, inside, outside] of cases) {
    const interval = parse(yaml);
    for (const time of inside) assert.ok(containsTime(interval, Date.parse(time)), `${yaml} holds ${time}`);
    for (const time of outside)
      assert.ok(!containsTime(interval, Date.parse(time)), `${yaml} does not hold ${time}`);
  }
});

test("what is no interval is refused", () => {
  const cases: [string, string][] = [
    [
      "{times: [{start_time: '17:00', end_time: '09:00'}]}",
      "start time cannot be equal or greater than end time",
    ],
    ["{times: [{start_time: '9:00', end_time: '10:00'}]}", "couldn't parse timestamp 9:00, invalid format"],
    ["{times: [{start_time: '24:01', end_time: '24:00'}]}", "couldn't parse timestamp 24:01, invalid format"],
    ["{times: [{start_time: '09:00'}]}", "both start and end times must be provided"],
    ["{weekdays: [mon]}", "mon is not a valid weekday"],
    ["{weekdays: ['saturday:sunday']}", "start day cannot be before end day"],
    ["{days_of_month: ['0']}", "0 is not a valid day of the month: out of range"],
    ["{days_of_month: ['-1:5']}", "end day must be negative if start day is negative"],
    ["{days_of_month: ['10:5']}", "end day 5 is always before start day 10"],
    ["{months: ['13']}", "13 is not a valid month"],
    ["{months: ['may:april']}", "end month april is before start month may"],
    ["{years: ['2026:2024']}", "end year 2024 is before start year 2026"],
    ["{location: Mars/Base}", "unknown time zone Mars/Base"],
    ["{months: ['1:2:3']}", "couldn't parse range 1:2:3, invalid format"],
  ];
  for (const [yaml, message] of cases) {
    assert.throws(
      () => parse(yaml),
      (error: Error) => error.message.includes(message),
      `${yaml}: ${message}`,
    );
  }
});
