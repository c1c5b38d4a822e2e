import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { createKernel } from "../../kernel/index.ts";
import { Labels, Matcher } from "../../model/index.ts";
import { kernelBytes } from "../test-support.ts";
import { Head } from "./head.ts";
import { LabelIndexReader } from "./label-index.ts";
import { SeriesSelector } from "./select.ts";
import { SelectionCache } from "./selection-cache.ts";
import { SymbolReader } from "./symbols.ts";

const matcherSets = [
  [new Matcher("=", "__name__", "m1")],
  [new Matcher("=", "__name__", "m2"), new Matcher("=~", "k", "k[0-4]")],
  [new Matcher("!=", "k", "k3")],
  [new Matcher("=", "k", "")],
  [new Matcher("=", "__name__", "nothing")],
];

const steps = fc.array(
  fc.record({
    what: fc.constantFrom("create", "remove", "ask", "ask"),
    name: fc.integer({ min: 1, max: 3 }),
    k: fc.integer({ min: 0, max: 9 }),
  }),
  { maxLength: 60 },
);

test("what is remembered of a selector is what the index says, whatever series come and go", () => {
  fc.assert(
    fc.property(steps, (all) => {
      const kernel = createKernel({ limitBytes: kernelBytes });
      const head = new Head(kernel);
      const cache = new SelectionCache(kernel);
      const select = (matchers: readonly Matcher[]): Uint32Array =>
        new SeriesSelector(kernel, new LabelIndexReader(kernel), new SymbolReader(kernel)).select(matchers);
      const living = (refs: Uint32Array): number[] => [...refs].filter((ref) => head.hasSeries(ref));
      for (const { what, name, k } of all) {
        const labels = Labels.from({ __name__: `m${name}`, ...(k < 9 && { k: `k${k}` }) });
        if (what === "create") head.getOrCreate(labels);
        if (what === "remove") {
          const ref = head.getOrCreate(labels);
          head.remove(ref);
          head.labelIndex.removeFromAll((other) => other === ref);
        }
        for (const matchers of matcherSets)
          assert.deepEqual(living(cache.find(matchers, select)), living(select(matchers)));
      }
    }),
    { numRuns: 60 },
  );
});

test("what the index gave out is not kept, and large selections are not copied", () => {
  const kernel = createKernel({ limitBytes: kernelBytes });
  const cache = new SelectionCache(kernel);
  const [small, large] = [Uint32Array.of(1, 2), new Uint32Array(100_000)];
  const matchers = matcherSets[0]!;
  const kept = cache.find(matchers, () => small);
  assert.notEqual(kept, small);
  assert.deepEqual(kept, small);
  assert.equal(
    cache.find(matchers, () => assert.fail("asked again")),
    kept,
  );
  assert.equal(
    cache.find([...matchers], () => large),
    large,
  );
});
