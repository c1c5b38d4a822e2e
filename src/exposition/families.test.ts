import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import * as fc from "fast-check";
import {
  createParser,
  decodeFamilies,
  encodeOpenMetrics,
  encodeText,
  ExpositionError,
  type MetricFamily,
  type TextFormat,
} from "./index.ts";

const encoder = new TextEncoder();
const conformanceDir = join(
  process.env["CONFORMANCE_DIR"] ?? join(import.meta.dirname, "../../../shared/conformance"),
  "exposition",
);
const conformance = existsSync(conformanceDir)
  ? readdirSync(conformanceDir).filter((name) => /\.(prom|om)\.txt$/.test(name))
  : [];

function formatOf(name: string): TextFormat {
  return name.includes(".om.") ? "openmetrics" : "text";
}

test("samples join the family that was declared for them", () => {
  const text = `h_sum 1
# TYPE h histogram
# HELP h H.
h_bucket{le="1"} 1
h_count 1
h_other 1
# TYPE c counter
c_total 1
`;
  const families = decodeFamilies(encoder.encode(text), "text");
  const summary = families.map(({ name, type, help, samples }) => [
    name,
    type,
    help,
    samples.map((s) => s.name),
  ]);
  assert.deepEqual(summary, [
    ["h_sum", "unknown", "", ["h_sum"]],
    ["h", "histogram", "H.", ["h_bucket", "h_count"]],
    ["h_other", "unknown", "", ["h_other"]],
    ["c", "counter", "", ["c_total"]],
  ]);
  const [counter] = decodeFamilies(
    encoder.encode("# TYPE c counter\nc_total 1\nc_created 5\n# EOF\n"),
    "openmetrics",
  );
  assert.equal(counter!.name, "c_total");
  assert.deepEqual(
    counter!.samples.map((sample) => sample.name),
    ["c_total", "c_created"],
  );
});

test(
  "upstream's texts parse and survive writing and reading again",
  { skip: conformance.length === 0 && `no ${conformanceDir}` },
  () => {
    assert.ok(conformance.length >= 4);
    for (const name of conformance) {
      const families = decodeFamilies(readFileSync(join(conformanceDir, name)), formatOf(name));
      const samples = families.reduce((count, family) => count + family.samples.length, 0);
      assert.ok(samples > 10, `${name}: ${samples} samples`);
      const written = formatOf(name) === "text" ? encodeText(families) : encodeOpenMetrics(families);
      assert.deepEqual(
        decodeFamilies(encoder.encode(written), formatOf(name)),
        families.filter((family) => family.samples.length > 0),
        name,
      );
    }
  },
);

const labelName = fc.oneof(
  fc.constantFrom("a", "le", "quantile", "a_1"),
  fc.string({ minLength: 1, unit: "binary" }),
);
const metricName = fc.oneof(fc.constantFrom("up", "a:b", "_x1"), fc.string({ minLength: 1, unit: "binary" }));
const text = fc.string({ unit: "binary" });
const value = fc.oneof(fc.double(), fc.integer(), fc.constantFrom(NaN, Infinity, -Infinity, 0, -0));
const labels = fc
  .dictionary(
    labelName,
    text.filter((value) => value !== ""),
    { maxKeys: 4, noNullPrototype: true },
  )
  .map((object) => Object.entries(object).filter(([name]) => name !== "__name__"));

test("anything written reads back as it was", () => {
  const sample = fc.record({
    labels,
    value,
    timestampMs: fc.option(fc.nat({ max: 2 ** 40 }), { nil: undefined }),
    exemplar: fc.option(fc.record({ labels, value, timestampMs: fc.option(fc.nat(), { nil: undefined }) }), {
      nil: undefined,
    }),
  });
  const family = fc.record({
    name: metricName,
    type: fc.constantFrom("gauge" as const, "unknown" as const),
    help: text,
    unit: fc.constant(""),
    samples: fc.array(sample, { minLength: 1, maxLength: 3 }),
  });
  const families = fc.uniqueArray(family, { selector: ({ name }) => name, maxLength: 3 }).map((drafts) =>
    drafts.map((draft) => ({
      ...draft,
      samples: draft.samples.map((draftSample) => ({ name: draft.name, ...draftSample })),
    })),
  );
  fc.assert(
    fc.property(families, (written: MetricFamily[]) => {
      const openMetrics = decodeFamilies(encoder.encode(encodeOpenMetrics(written)), "openmetrics");
      assert.deepEqual(openMetrics.map(comparable), written.map(comparable));
      const classic = decodeFamilies(encoder.encode(encodeText(written)), "text");
      assert.deepEqual(classic.map(comparable), written.map(withoutExemplars).map(comparable));
    }),
  );
});

/** Sorted labels, and values as text so that NaN and -0 compare. */
function comparable(family: MetricFamily): unknown {
  return {
    ...family,
    samples: family.samples.map((sample) => ({
      ...sample,
      value: Object.is(sample.value, -0) ? "-0" : String(sample.value),
      labels: Object.fromEntries(sample.labels),
      exemplar: sample.exemplar && {
        ...sample.exemplar,
        value: Object.is(sample.exemplar.value, -0) ? "-0" : String(sample.exemplar.value),
        labels: Object.fromEntries(sample.exemplar.labels),
      },
    })),
  };
}

function withoutExemplars(family: MetricFamily): MetricFamily {
  return { ...family, samples: family.samples.map((sample) => ({ ...sample, exemplar: undefined })) };
}

/** Reads everything there is to read; only typed errors may come out. */
function digest(bytes: Uint8Array, format: TextFormat): void {
  try {
    const parser = createParser(bytes, format);
    let kind = parser.next();
    for (let count = 0; kind !== "end"; kind = parser.next()) {
      assert.ok(count++ <= bytes.length, "no progress");
      if (kind === "series") {
        parser.labels();
        parser.exemplar();
      } else parser.text();
    }
    decodeFamilies(bytes, format);
  } catch (error) {
    if (!(error instanceof ExpositionError)) throw error;
    assert.ok(error.line >= 1 && error.column >= 1 && error.message.length < 2000);
  }
}

const fragments = [
  "a",
  "{",
  "}",
  '"',
  '"b"',
  "=",
  ",",
  " ",
  "\n",
  "\\",
  "# ",
  "#",
  "HELP ",
  "TYPE ",
  "UNIT ",
  "EOF",
  "counter",
  "1",
  "NaN",
  "e",
  "-",
  "1.5",
  "\xff",
  "ü",
  "\t",
  "\0",
  " # {",
];

test("arbitrary bytes give entries or a typed error", () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 60 }),
    fc
      .array(fc.constantFrom(...fragments), { maxLength: 30 })
      .map((parts) => Buffer.from(parts.join(""), "latin1")),
  );
  fc.assert(fc.property(bytes, fc.constantFrom("text" as const, "openmetrics" as const), digest), {
    numRuns: 3000,
  });
});

test(
  "damaged texts give entries or a typed error",
  { skip: conformance.length === 0 && `no ${conformanceDir}` },
  () => {
    const file = fc.constantFrom(...conformance);
    const edits = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(file, fc.nat(), edits, (name, from, changes) => {
        const whole = readFileSync(join(conformanceDir, name));
        const start = from % whole.length;
        const damaged = Uint8Array.from(whole.subarray(start, start + 2000));
        for (const [at, byte] of changes) damaged[at % damaged.length] = byte;
        digest(damaged, formatOf(name));
      }),
      { numRuns: 300 },
    );
  },
);
