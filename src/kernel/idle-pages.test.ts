import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import * as fc from "fast-check";
import { loadSystemMemory, silentLogger } from "../base/index.ts";
import type { Kernel } from "./index.ts";
import { pageBytes as page, memoryBytesMin } from "./layout.ts";
import { testKernel } from "./testing.ts";

/** What the system does: the pages are zero from then on. Notes their numbers. */
function zeroing(kernel: Kernel): { released: number[]; giveBack: (bytes: Uint8Array) => boolean } {
  const released: number[] = [];
  const giveBack = (bytes: Uint8Array): boolean => {
    assert.equal(bytes.buffer, kernel.memory.buffer);
    assert.equal(bytes.byteOffset % page, 0);
    assert.equal(bytes.length % page, 0);
    bytes.fill(0);
    for (let at = 0; at < bytes.length; at += page) released.push((bytes.byteOffset + at) / page);
    return true;
  };
  return { released, giveBack };
}

const sorted = (pages: Iterable<number>): number[] => [...pages].sort((a, b) => a - b);

test("pages go once that were free at two calls", () => {
  const kernel = testKernel();
  const { released, giveBack } = zeroing(kernel);
  const ptr = kernel.allocateSpan(3 * page);
  kernel.idlePages.release(giveBack);
  kernel.freeSpan(ptr, 3 * page);
  kernel.idlePages.release(giveBack);
  assert.deepEqual(released, [], "were in use at the call before");
  kernel.idlePages.release(giveBack);
  assert.deepEqual(
    sorted(released),
    [0, 1, 2].map((n) => ptr / page + n),
  );
  assert.equal(kernel.idlePages.releasedBytes, 3 * page);
  kernel.idlePages.release(giveBack);
  assert.equal(released.length, 3, "there is nothing to give back twice");
  assert.equal(kernel.allocateSpan(3 * page), ptr, "they are free");
  kernel.freeSpan(ptr, 3 * page);
  kernel.idlePages.release(giveBack);
  assert.equal(released.length, 6, "and used again since");
});

test("nobody else gets pages while they are given back", () => {
  const kernel = testKernel();
  const ptr = kernel.allocateSpan(page);
  kernel.freeSpan(ptr, page);
  const usedBytes = kernel.usage().usedBytes;
  kernel.idlePages.release(() => true);
  let other = 0;
  kernel.idlePages.release(() => {
    other = kernel.allocateSpan(page);
    return true;
  });
  assert.ok(other > 0 && other !== ptr);
  kernel.freeSpan(other, page);
  assert.equal(kernel.usage().usedBytes, usedBytes);
});

test("pages that somebody takes meanwhile stay theirs", () => {
  const kernel = testKernel();
  const [low, high] = [kernel.allocateSpan(page), kernel.allocateSpan(65 * page)];
  kernel.freeSpan(low!, page);
  kernel.freeSpan(high!, 65 * page);
  kernel.idlePages.release(() => true);
  const released: number[] = [];
  kernel.idlePages.release(({ byteOffset }) => {
    // The first call is for the high end; the low one is then taken.
    if (released.length === 0) assert.equal(kernel.allocateSpan(page), low);
    released.push(byteOffset);
    return true;
  });
  assert.ok(!released.includes(low!));
  assert.ok(kernel.idlePages.releasedBytes > 0);
});

test("one call gives back a bounded number of pages, and the next goes on", () => {
  const kernel = testKernel(4 * memoryBytesMin);
  const { released, giveBack } = zeroing(kernel);
  const ptr = kernel.allocateSpan(2500 * page);
  kernel.freeSpan(ptr, 2500 * page);
  const counts = Array.from({ length: 5 }, () => {
    kernel.idlePages.release(giveBack);
    return released.length;
  });
  assert.deepEqual(counts, [0, 1024, 2048, 2500, 2500]);
  assert.equal(new Set(released).size, 2500);
});

test("what the system refuses is not counted", () => {
  const kernel = testKernel();
  const ptr = kernel.allocateSpan(page);
  kernel.freeSpan(ptr, page);
  for (let call = 0; call < 3; call++) kernel.idlePages.release(() => false);
  assert.equal(kernel.idlePages.releasedBytes, 0);
  assert.equal(kernel.allocateSpan(page), ptr);
});

test("random histories: what is in use keeps its bytes, and what is free for two calls goes if it was used", () => {
  type Step = { pages: number } | { free: number } | "release";
  const step: fc.Arbitrary<Step> = fc.oneof(
    fc.record({ pages: fc.integer({ min: 1, max: 40 }) }),
    fc.record({ free: fc.nat() }),
    fc.constant<Step>("release"),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80, size: "max" }), (steps) => {
      const kernel = testKernel();
      const { released, giveBack } = zeroing(kernel);
      const owned = new Map<number, { pages: number; tag: number }>();
      // The twin: sets of page numbers.
      const used = new Set<number>();
      const touched = new Set<number>();
      let freeBefore: (n: number) => boolean = () => false;
      let tag = 0;
      for (const one of steps) {
        if (one === "release") {
          released.length = 0;
          kernel.idlePages.release(giveBack);
          const expected = [...touched].filter((n) => !used.has(n) && freeBefore(n));
          assert.deepEqual(sorted(released), sorted(expected));
          for (const n of expected) touched.delete(n);
          const usedNow = new Set(used);
          freeBefore = (n) => !usedNow.has(n);
        } else if ("pages" in one) {
          const ptr = kernel.allocateSpan(one.pages * page);
          if (ptr === 0) continue;
          tag = (tag % 255) + 1;
          kernel.views.u8.fill(tag, ptr, ptr + one.pages * page);
          owned.set(ptr, { pages: one.pages, tag });
          for (let n = ptr / page; n < ptr / page + one.pages; n++) {
            used.add(n);
            touched.add(n);
          }
        } else if (owned.size > 0) {
          const [ptr, { pages }] = [...owned][one.free % owned.size]!;
          kernel.freeSpan(ptr, pages * page);
          owned.delete(ptr);
          for (let n = 0; n < pages; n++) used.delete(ptr / page + n);
        }
      }
      for (const [ptr, { pages, tag: own }] of owned) {
        const bytes = kernel.views.u8.subarray(ptr, ptr + pages * page);
        assert.equal(Buffer.compare(bytes, Buffer.alloc(bytes.length, own)), 0, "bytes in use were lost");
      }
    }),
    { numRuns: 40 },
  );
});

test("blocks of the arena keep their bytes, and slabs that are free go", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 1, max: 90_000 }), fc.nat({ max: 9 }), fc.nat()), {
        maxLength: 200,
        size: "max",
      }),
      (steps) => {
        const kernel = testKernel();
        const { giveBack } = zeroing(kernel);
        const blocks: { ptr: number; bytes: number; tag: number }[] = [];
        let tag = 0;
        for (const [bytes, what, pick] of steps) {
          if (what === 0) kernel.idlePages.release(giveBack);
          else if (what < 5 && blocks.length > 0) {
            const [{ ptr, bytes: held }] = blocks.splice(pick % blocks.length, 1) as [(typeof blocks)[0]];
            kernel.arena.free(ptr, held);
          } else {
            const ptr = kernel.arena.tryAllocate(bytes);
            if (ptr === 0) continue;
            blocks.push({ ptr, bytes, tag: (tag = (tag % 255) + 1) });
            kernel.views.u8.fill(tag, ptr, ptr + bytes);
          }
        }
        for (const { ptr, bytes, tag: own } of blocks)
          assert.ok(kernel.views.u8.subarray(ptr, ptr + bytes).every((byte) => byte === own));
        for (const { ptr, bytes } of blocks) kernel.arena.free(ptr, bytes);
        assert.equal(kernel.arena.usage().usedBytes, 0);
      },
    ),
    { numRuns: 60 },
  );
});

const memory = loadSystemMemory(silentLogger);

test(
  "the system takes the pages: they are no longer resident, and read as zeros",
  {
    skip: memory === undefined && "no koffi for this platform",
  },
  () => {
    const kernel = testKernel(4 * memoryBytesMin);
    const bytes = 1000 * page;
    const [before, ptr, after] = [page, bytes, page].map((size) => kernel.allocateSpan(size)) as [
      number,
      number,
      number,
    ];
    kernel.views.u8.fill(7, before, after + page);
    kernel.freeSpan(ptr, bytes);
    const residentKb = (): number =>
      Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync("/proc/self/status", "utf8"))![1]);
    const residentBefore = residentKb();
    for (let call = 0; call < 2; call++)
      kernel.idlePages.release((pages) => memory!.releasePages(pages, pages.length));
    assert.equal(kernel.idlePages.releasedBytes, bytes);
    const goneKb = residentBefore - residentKb();
    assert.ok(goneKb > (bytes / 1024) * 0.9, `${goneKb} kB of ${bytes / 1024} kB went`);
    const isAll = (value: number, at: number, size: number): boolean =>
      Buffer.compare(kernel.views.u8.subarray(at, at + size), Buffer.alloc(size, value)) === 0;
    assert.ok(isAll(7, before, page) && isAll(7, after, page), "the pages beside them stay");
    assert.ok(isAll(0, ptr, bytes));
    assert.equal(kernel.allocateSpan(bytes), ptr);
    kernel.views.u8.fill(9, ptr, ptr + bytes);
    assert.ok(isAll(9, ptr, bytes), "and can be used again");
  },
);
