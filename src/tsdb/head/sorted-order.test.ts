import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { Labels } from "../../model/index.ts";
import { baseTimeMs, directoryOf, openTest } from "../test-support.ts";
import { createHeadQueryable } from "./querier.ts";

const text = fc.constantFrom("a", "b", "ab", "B", "é", "\uffee", "😀", "z", "10", "9");
const labelSets = fc.array(fc.dictionary(text, text, { minKeys: 1, maxKeys: 5 }), { maxLength: 40 });

test("series are in the order of their labels, whatever labels they have", async (t) => {
  const { tsdb, kernel } = await openTest(directoryOf(t), { nowMs: baseTimeMs });
  const queryable = createHeadQueryable(kernel);
  t.after(async () => {
    queryable.close();
    await tsdb.close();
  });
  let round = 0;
  fc.assert(
    fc.property(labelSets, (sets) => {
      round++;
      const appender = tsdb.appender();
      for (const set of sets)
        appender.append(
          appender.reference(Labels.from({ ...set, round: `${round % 3}` })),
          baseTimeMs + round,
          1,
        );
      appender.commit();
      const querier = queryable.querier(0, Number.MAX_SAFE_INTEGER);
      try {
        const range = { minTimestampMs: 0, maxTimestampMs: Number.MAX_SAFE_INTEGER };
        const found = querier.select([], range, true);
        const labels = Array.from({ length: found.length }, (_, series) => found.labels(series));
        for (let i = 1; i < labels.length; i++)
          assert.ok(
            labels[i - 1]!.compare(labels[i]!) < 0,
            `${labels[i - 1]!.toString()} before ${labels[i]!.toString()}`,
          );
        const unsorted = querier.select([], range, false);
        assert.equal(labels.length, unsorted.length);
      } finally {
        querier.close();
      }
    }),
  );
});
