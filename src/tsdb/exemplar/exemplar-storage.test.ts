import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { Labels, Matcher } from "../../model/index.ts";
import type { Exemplar } from "../../storage/index.ts";
import { ExemplarStorage } from "./exemplar-storage.ts";

const seriesLabels = (ref: number): Labels => Labels.from({ __name__: "m", id: String(ref % 100) });
const anySeries = [[new Matcher("=", "__name__", "m")]];

function storageOf(capacity: number): ExemplarStorage {
  const storage = new ExemplarStorage(seriesLabels);
  storage.resize(capacity);
  return storage;
}

function exemplar(timestampMs: number, trace = "a", value = 1, hasOwnTimestamp = true): Exemplar {
  return { labels: Labels.from({ trace }), value, timestampMs, hasOwnTimestamp };
}

/** `id: trace@time …` of each series. */
function contents(storage: ExemplarStorage, minMs = -Infinity, maxMs = Infinity): string[] {
  return storage
    .selectExemplars(minMs, maxMs, anySeries)
    .map(
      ({ labels, exemplars }) =>
        `${labels.get("id")}: ${exemplars.map((e) => `${e.labels.get("trace")}@${e.timestampMs}`).join(" ")}`,
    );
}

test("the oldest exemplar of all goes when there is no room, and a series with its last one", () => {
  const storage = storageOf(3);
  storage.add(1, exemplar(10));
  storage.add(2, exemplar(5));
  storage.add(2, exemplar(7, "b"));
  assert.deepEqual([storage.count, storage.seriesCount, storage.firstTimestampMs], [3, 2, 10]);
  storage.add(3, exemplar(1));
  assert.deepEqual(contents(storage), ["2: a@5 b@7", "3: a@1"]);
  storage.add(3, exemplar(2));
  assert.deepEqual(contents(storage), ["2: b@7", "3: a@1 a@2"]);
  assert.deepEqual([storage.count, storage.seriesCount, storage.appended], [3, 2, 5]);
  assert.deepEqual(contents(storage, 2, 6), ["3: a@2"]);
  assert.deepEqual(storage.selectExemplars(0, 9, [[new Matcher("=~", "id", "2|x")], []]).length, 2);
  assert.deepEqual(storage.selectExemplars(0, 9, []), []);
});

test("duplicates, what is out of order, and labels that are too long are told apart", () => {
  const storage = storageOf(10);
  assert.equal(storage.add(1, exemplar(10, "a", 2)), "queued");
  assert.equal(storage.add(1, exemplar(10, "a", 2)), "duplicate");
  assert.equal(storage.add(1, exemplar(9, "b")), "outOfOrder");
  assert.equal(storage.add(1, exemplar(10, "b", 1)), "outOfOrder");
  assert.equal(storage.add(1, exemplar(10, "b", 2)), "queued");
  assert.equal(storage.add(1, exemplar(10, "a", 3)), "queued");
  assert.equal(storage.outOfOrder, 2);
  // Without a time of its own it is the one that was scraped before.
  assert.equal(storage.add(2, exemplar(10, "a", 2, false)), "queued");
  assert.equal(storage.add(2, exemplar(20, "a", 2, false)), "duplicate");
  assert.equal(storage.add(2, exemplar(20, "a", 2, true)), "queued");
  assert.equal(storage.add(3, exemplar(1, "é".repeat(123))), "queued");
  assert.equal(storage.add(3, exemplar(2, "é".repeat(124))), "labelsTooLong");
  assert.equal(storageOf(0).add(1, exemplar(1)), "disabled");
});

test("within the window exemplars may come late, one of each time", () => {
  const storage = storageOf(4);
  storage.outOfOrderWindowMs = 100;
  for (const [ms, trace] of [
    [1000, "a"],
    [950, "b"],
    [980, "c"],
  ] as const)
    assert.equal(storage.add(1, exemplar(ms, trace)), "queued");
  assert.equal(storage.add(1, exemplar(950, "d")), "duplicate");
  assert.equal(storage.add(1, exemplar(900, "d")), "outOfOrder");
  assert.deepEqual(contents(storage), ["1: b@950 c@980 a@1000"]);
  storage.add(1, exemplar(901, "e"));
  storage.add(1, exemplar(960, "f"));
  assert.deepEqual(contents(storage), ["1: e@901 b@950 f@960 c@980"]);
});

test("the newest stay when the size changes", () => {
  const storage = storageOf(4);
  for (let i = 1; i <= 6; i++) storage.add(i % 3, exemplar(i));
  assert.equal(storage.resize(6), 4);
  assert.deepEqual(contents(storage), ["0: a@3 a@6", "1: a@4", "2: a@5"]);
  storage.add(1, exemplar(7));
  storage.add(1, exemplar(8));
  storage.add(1, exemplar(9));
  assert.deepEqual(contents(storage), ["0: a@6", "1: a@4 a@7 a@8 a@9", "2: a@5"]);
  assert.equal(storage.resize(2), 2);
  assert.deepEqual(contents(storage), ["1: a@8 a@9"]);
  assert.equal(storage.resize(-5), 0);
  assert.deepEqual([storage.count, storage.seriesCount, storage.firstTimestampMs], [0, 0, 0]);
  storage.resize(1);
  assert.equal(storage.add(1, exemplar(1)), "queued");
});

test("a series that the head numbers anew is the same one", () => {
  const storage = storageOf(4);
  storage.add(1, exemplar(1));
  storage.add(101, exemplar(2));
  assert.deepEqual(contents(storage), ["1: a@1 a@2"]);
  assert.deepEqual(
    [...storage].map(([ref]) => ref),
    [101, 101],
  );
});

test("any sequence of exemplars and sizes is kept as the plain reading of it says", () => {
  const step = fc.oneof(
    {
      weight: 20,
      arbitrary: fc.record({ ref: fc.integer({ min: 1, max: 4 }), ms: fc.integer({ min: 1, max: 60 }) }),
    },
    { weight: 1, arbitrary: fc.record({ size: fc.integer({ min: 0, max: 8 }) }) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.constantFrom(0, 10), (steps, windowMs) => {
      const storage = storageOf(5);
      storage.outOfOrderWindowMs = windowMs;
      let size = 5;
      let kept: { ref: number; ms: number }[] = [];
      for (const step of steps) {
        if ("size" in step) storage.resize((size = step.size));
        else {
          const own = kept.filter(({ ref }) => ref === step.ref).map(({ ms }) => ms);
          const newest = Math.max(...own);
          const isLate = step.ms < newest && step.ms <= newest - windowMs;
          const fate = storage.add(step.ref, exemplar(step.ms));
          const expected =
            size === 0
              ? "disabled"
              : own.includes(step.ms) && !isLate
                ? "duplicate"
                : isLate
                  ? "outOfOrder"
                  : "queued";
          assert.equal(fate, expected);
          if (fate === "queued") kept.push({ ref: step.ref, ms: step.ms });
        }
        kept = size === 0 ? [] : kept.slice(-size);
        assert.equal(storage.count, kept.length);
        const refs = [...new Set(kept.map(({ ref }) => ref))].sort((a, b) => a - b);
        const times = (ref: number): number[] =>
          kept
            .filter((e) => e.ref === ref)
            .map(({ ms }) => ms)
            .sort((a, b) => a - b);
        assert.deepEqual(
          contents(storage),
          refs.map(
            (ref) =>
              `${ref}: ${times(ref)
                .map((ms) => `a@${ms}`)
                .join(" ")}`,
          ),
        );
      }
    }),
    { numRuns: 500 },
  );
});
