import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { createKernel, layout } from "../../kernel/index.ts";
import { Labels } from "../../model/index.ts";
import { kernelBytes } from "../test-support.ts";
import { Head } from "./head.ts";
import { filterPostings, readPostings, sortPostings } from "./posting-list.ts";
import { intersect, intersectAll, subtract, union } from "./refs.ts";
import { combineHash, hashBytes } from "./text-hash.ts";

const { perPage, pagesMax } = layout.slot;

test("a ref is not given twice, and never one whose slot a living series has", () => {
  const kernel = createKernel({ limitBytes: kernelBytes });
  const head = new Head(kernel);
  const old = [1, 2, 3].map((i) => head.getOrCreate(Labels.from({ __name__: `old_${i}` })));
  assert.deepEqual(old, [1, 2, 3]);
  head.skipRef(perPage * pagesMax + 1);
  const young = head.getOrCreate(Labels.from({ __name__: "young" }));
  assert.equal(young, perPage * pagesMax + 4);
  assert.equal(head.getOrCreate(Labels.from({ __name__: "old_2" })), 2);
  for (const ref of old) head.labelIndex.removeFromAll((other) => other === ref);
  for (const ref of old) head.remove(ref);
  head.skipRef(2 * perPage * pagesMax);
  const third = head.getOrCreate(Labels.from({ __name__: "third" }));
  assert.equal(third, 2 * perPage * pagesMax + 1);
  // Refs 1 and 3 × … + 1 share the slot of the third series, and are not it.
  assert.equal(head.hasSeries(1), false);
  assert.equal(head.hasSeries(third), true);
  assert.equal(kernel.series.labelsPtr(third + perPage * pagesMax), 0);
  assert.ok(head.hasSeries(young));
});

test("series that are refused take no memory, and those that there are are found", () => {
  const full = createKernel({ limitBytes: layout.memoryBytesMin });
  const crowded = createKernel({ limitBytes: kernelBytes });
  for (const [kernel, options] of [
    [full, {}],
    [crowded, { seriesMax: 10 }],
  ] as const) {
    const head = new Head(kernel, options);
    const labels = (i: number): Labels => Labels.from({ __name__: "m", id: `${"x".repeat(200)}${i}` });
    let count = 0;
    assert.throws(
      () => {
        for (; ; count++) head.getOrCreate(labels(count));
      },
      { code: "unavailable", message: /no new series|limit of 10/ },
    );
    const { usedBytes } = kernel.arena.usage();
    for (let i = count; i < count + 1000; i++)
      assert.throws(() => head.getOrCreate(labels(i)), { code: "unavailable" });
    assert.equal(kernel.arena.usage().usedBytes, usedBytes);
    assert.equal(head.getOrCreate(labels(count - 1)), count);
  }
});

const refsArbitrary = fc
  .tuple(fc.array(fc.nat({ max: 300 }), { maxLength: 120 }), fc.constantFrom(1, 37, 9001))
  .map(([refs, stride]) => Uint32Array.from(new Set(refs), (ref) => ref * stride + 1).sort());

test("set operations on refs are those of sets", () => {
  fc.assert(
    fc.property(fc.array(refsArbitrary, { minLength: 1, maxLength: 5 }), (lists) => {
      const sets = lists.map((list) => new Set(list));
      const all = new Set(lists.flatMap((list) => [...list]));
      assert.deepEqual([...union(lists)], sorted(all));
      assert.deepEqual(
        [...intersectAll(lists)],
        sorted([...all].filter((ref) => sets.every((set) => set.has(ref)))),
      );
      const [a, b = new Uint32Array(0)] = lists;
      assert.deepEqual(
        [...subtract(a!, b)],
        [...a!].filter((ref) => !b.includes(ref)),
      );
      assert.deepEqual(
        [...intersect(a!, b)],
        [...a!].filter((ref) => b.includes(ref)),
      );
    }),
  );
});

test("posting lists grow in any order, are read sorted, and shrink", () => {
  const kernel = createKernel({ limitBytes: kernelBytes });
  const { u32 } = kernel.views;
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.integer({ min: 1, max: 5000 }), { maxLength: 300 }),
      fc.nat({ max: 9 }),
      (refs, digit) => {
        const listIndex = kernel.arena.allocateZeroed(16) >>> 2;
        for (const ref of refs) {
          assert.equal(kernel.exports.reservePosting(4 * listIndex), 1);
          kernel.exports.pushPosting(4 * listIndex, ref);
        }
        const ordered = sorted(refs);
        assert.deepEqual([...readPostings(u32, listIndex)], ordered);
        sortPostings(kernel, listIndex);
        assert.deepEqual([...readPostings(u32, listIndex)], ordered);
        const kept = ordered.filter((ref) => ref % 10 !== digit);
        assert.equal(
          filterPostings(kernel, listIndex, (ref) => ref % 10 !== digit),
          kept.length,
        );
        assert.deepEqual([...readPostings(u32, listIndex)], kept);
        filterPostings(kernel, listIndex, () => false);
        assert.equal(u32[listIndex], 0);
        kernel.arena.reclaim();
      },
    ),
  );
});

test("text hashes never change: head and blocks share queries out by them", () => {
  assert.equal(hash(""), 2_872_998_923);
  assert.equal(hash("__name__"), 1_518_391_091);
  assert.equal(combineHash(combineHash(0, hash("__name__")), hash("up")), 2_832_711_939);
});

function sorted(refs: Iterable<number>): number[] {
  return [...refs].sort((a, b) => a - b);
}

function hash(text: string): number {
  return hashBytes(Buffer.from(`x${text}`), 1, Buffer.byteLength(text));
}
