import assert from "node:assert/strict";
import { test } from "node:test";
import { formatNotation } from "../model/index.ts";
import { decodeEntries, type EntryOptions } from "./index.ts";

function lines(text: string, options: EntryOptions, format: "text" | "openmetrics" = "text"): string[] {
  return [...decodeEntries(Buffer.from(text), format, options)].flatMap((entry) => {
    if (entry.kind === "family") return [];
    const value =
      entry.kind === "float"
        ? String(entry.value)
        : `${formatNotation(entry.histogram)}${entry.isFloat ? " float" : ""}`;
    const exemplars = entry.exemplars.map((one) => ` # ${one.labels.toString()}`).join("");
    return [`${entry.labels().toMetricString()} ${value}${exemplars}`];
  });
}

const alone = { convertClassicHistograms: true };
const beside = { convertClassicHistograms: true, keepClassicHistograms: true };
const body = `# TYPE a counter
a 1
# HELP h Help.
# TYPE h histogram
h_bucket{x="1",le="0.5"} 2
h_bucket{x="1",le="+Inf"} 3
h_sum{x="1"} 4
h_count{x="1"} 3
h_count{x="2"} 1
h_bucket{x="2",le="+Inf"} 1
h_other 5
# TYPE b gauge
b_bucket{le="1"} 6
`;

test("classic histograms of a text are converted, one after the other, and nothing else is", () => {
  const first = 'h{x="1"} {{schema:-53 count:3 sum:4 custom_values:[0.5] buckets:[2 1]}}';
  const second = 'h{x="2"} {{schema:-53 count:1 custom_values:[] buckets:[1]}}';
  assert.deepEqual(lines(body, alone), ["a 1", first, second, "h_other 5", 'b_bucket{le="1"} 6']);
  const both = lines(body, beside);
  assert.deepEqual(
    both.filter((line) => line.startsWith("h{")),
    [first, second],
  );
  assert.equal(both.indexOf(first), 1 + both.indexOf('h_count{x="1"} 3'), "behind its own");
  assert.equal(both.length, lines(body, {}).length + 2);
});

test("a histogram that contradicts itself is left out", () => {
  const rest = "h_sum 1\nh_count 3\n# TYPE g gauge\ng 1\n";
  for (const buckets of [
    'h_bucket{le="1"} 4\nh_bucket{le="+Inf"} 3\n',
    'h_bucket{le="1"} -1\n',
    'h_bucket{le="+Inf"} 2\n',
  ])
    assert.deepEqual(lines(`# TYPE h histogram\n${buckets}${rest}`, alone), ["g 1"], buckets);
});

test("fractions make it a float histogram, exemplars come with it, bounds may be written in any way", () => {
  const text = `# TYPE h histogram
h_bucket{le="1e-1"} 0.5 # {id="a"} 0.05 1.5
h_bucket{le="+Inf"} 1.5 # {id="b"} 7
h_sum 2
h_count 1.5
# EOF
`;
  assert.deepEqual(lines(text, alone, "openmetrics"), [
    'h {{schema:-53 count:1.5 sum:2 custom_values:[0.1] buckets:[0.5 1]}} float # {id="a"} # {id="b"}',
  ]);
});
