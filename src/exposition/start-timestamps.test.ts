import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeEntries } from "./index.ts";

/** Samples as `series start`, where one is known. */
function starts(text: string, readStartTimestamps = true): string[] {
  const entries = decodeEntries(Buffer.from(`${text}# EOF\n`), "openmetrics", { readStartTimestamps });
  return [...entries].flatMap((entry) =>
    entry.kind === "family" ? [] : [`${entry.labels().toMetricString()} ${entry.startTimestampMs ?? "-"}`],
  );
}

const body = `# HELP c Help.
# TYPE c counter
c_total{a="1"} 5
c_created{a="1"} 1.5
c_total{a="2"} 6
c_total{a="3"} 7
c_created{a="3"} 1700000000.123
# TYPE h histogram
h_bucket{le="1.0"} 1
h_bucket{le="+Inf"} 2
h_count 2
h_sum 3
h_created 4
# TYPE s summary
s{quantile="0.5"} 1
s_count 2
s_created 5
# TYPE g gauge
g_created 6
g 7
c_created{a="1"} 8
`;

test("series have the start that their _created series tells, which is none itself", () => {
  assert.deepEqual(starts(body), [
    'c_total{a="1"} 1500',
    'c_total{a="2"} -',
    'c_total{a="3"} 1700000000123',
    'h_bucket{le="1.0"} 4000',
    'h_bucket{le="+Inf"} 4000',
    "h_count 4000",
    "h_sum 4000",
    's{quantile="0.5"} 5000',
    "s_count 5000",
    "g_created -",
    "g -",
    'c_created{a="1"} -',
  ]);
});

test("unless starts are asked for, _created series are series", () => {
  const all = starts(body, false);
  assert.equal(all.length, 16);
  assert.ok(all.every((line) => line.endsWith(" -")));
});

test("a time that is none says nothing", () => {
  for (const time of ["NaN", "+Inf", "1e300"])
    assert.deepEqual(starts(`# TYPE c counter\nc_total 1\nc_created ${time}\n`), ["c_total -"]);
});
