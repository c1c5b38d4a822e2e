import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import * as fc from "fast-check";
import { MemoryFullError, ScratchBudgetError, attachKernel, createKernel, layout } from "./index.ts";
import { testKernel } from "./testing.ts";

const page = layout.pageBytes;
/** What comes before the spans, and the last page. */
const fixedBytes = layout.spansStart + page;

test("limits are checked and reported", () => {
  assert.throws(() => createKernel({ limitBytes: 1 }), /shared memory limit must be between/);
  const kernel = testKernel();
  assert.equal(kernel.usage().limitBytes, layout.memoryBytesMin);
  assert.equal(kernel.usage().usedBytes, fixedBytes);
});

test("the whole 4 GiB address space can be reserved and used to its end", () => {
  const kernel = createKernel({ limitBytes: layout.memoryBytesMax });
  const bytes = layout.memoryBytesMax - fixedBytes - page;
  const ptr = kernel.allocateSpan(bytes - 1024 * page);
  const top = kernel.allocateSpan(512 * page);
  assert.ok(top > 2 ** 31);
  kernel.views.f64[top / 8] = 1.5;
  assert.equal(kernel.views.f64[top / 8], 1.5);
  kernel.freeSpan(ptr, bytes - 1024 * page);
  kernel.freeSpan(top, 512 * page);
  assert.equal(kernel.usage().usedBytes, fixedBytes);
});

test("spans behave like a set of pages", () => {
  const kernel = testKernel();
  const total = layout.memoryBytesMin / page;
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 1, max: 300 }), fc.nat({ max: 100 })), {
        maxLength: 60,
        size: "max",
      }),
      (steps) => {
        const owned = new Map<number, number>();
        const used = new Set([...Array(layout.spansStart / page).keys(), total - 1]);
        for (const [pages, pick] of steps) {
          if (pick < 40 && owned.size > 0) {
            const [ptr, held] = [...owned][pick % owned.size]!;
            kernel.freeSpan(ptr, held * page);
            for (let i = 0; i < held; i++) used.delete(ptr / page + i);
            owned.delete(ptr);
            continue;
          }
          const ptr = kernel.allocateSpan(pages * page - pick);
          if (ptr === 0) {
            // Refused only when there is no such run.
            let run = 0;
            for (let i = 0; i < total; i++) {
              run = used.has(i) ? 0 : run + 1;
              assert.ok(run < pages, "a free run was overlooked");
            }
            continue;
          }
          for (let i = 0; i < pages; i++) {
            assert.ok(!used.has(ptr / page + i), "page handed out twice");
            used.add(ptr / page + i);
          }
          owned.set(ptr, pages);
        }
        assert.equal(kernel.usage().usedBytes, used.size * page);
        for (const [ptr, held] of owned) kernel.freeSpan(ptr, held * page);
      },
    ),
    { numRuns: 200 },
  );
});

test("low pages are used before high ones, also behind a longer span that skipped them", () => {
  const kernel = testKernel();
  const [, gap] = [1, 2, 3].map(() => kernel.allocateSpan(page));
  kernel.freeSpan(gap!, page);
  assert.ok(kernel.allocateSpan(2 * page) > gap!);
  assert.equal(kernel.allocateSpan(page), gap);
});

test("a span cannot be freed twice or by a wrong pointer", () => {
  const kernel = testKernel();
  const ptr = kernel.allocateSpan(page);
  assert.throws(() => kernel.freeSpan(ptr + 8, page), /span was allocated/);
  kernel.freeSpan(ptr, page);
  assert.throws(() => kernel.freeSpan(ptr, page), /span was allocated/);
  assert.throws(() => kernel.freeSpan(0, page), /span was allocated/);
  assert.throws(() => kernel.freeSpan(4 * page, layout.memoryBytesMin), /span was allocated/);
});

test("arena blocks never overlap and usage adds up", () => {
  const kernel = testKernel();
  const sizes = fc.oneof(
    fc.integer({ min: 0, max: 600 }),
    fc.integer({ min: 0, max: 70_000 }),
    fc.integer({ min: 0, max: 200_000 }),
  );
  fc.assert(
    fc.property(
      fc.array(fc.tuple(sizes, fc.boolean(), fc.nat()), { maxLength: 150, size: "max" }),
      (steps) => {
        const before = kernel.arena.usage().usedBytes;
        const blocks: { ptr: number; bytes: number; tag: number }[] = [];
        let tag = 1;
        for (const [bytes, free, pick] of steps) {
          if (free && blocks.length > 0) {
            const [block] = blocks.splice(pick % blocks.length, 1);
            verify(block!);
            kernel.arena.free(block!.ptr, block!.bytes);
            continue;
          }
          const ptr = kernel.arena.tryAllocate(bytes);
          assert.ok(ptr > 0 && ptr % 16 === 0);
          const block = { ptr, bytes, tag: (tag = (tag % 255) + 1) };
          kernel.views.u8.fill(block.tag, ptr, ptr + bytes);
          blocks.push(block);
        }
        const expected = blocks.reduce((sum, { bytes }) => sum + kernel.arena.classBytes(bytes), 0);
        assert.equal(kernel.arena.usage().usedBytes - before, expected);
        for (const block of blocks) {
          verify(block);
          kernel.arena.free(block.ptr, block.bytes);
        }
      },
    ),
    { numRuns: 100 },
  );

  function verify(block: { ptr: number; bytes: number; tag: number }): void {
    const bytes = kernel.views.u8.subarray(block.ptr, block.ptr + block.bytes);
    assert.ok(
      bytes.every((byte) => byte === block.tag),
      "block was overwritten",
    );
  }
});

test("a full arena refuses, and serves again what was freed, in other sizes too", () => {
  const kernel = testKernel();
  const ptrs: number[] = [];
  for (let ptr = kernel.arena.tryAllocate(4000); ptr !== 0; ptr = kernel.arena.tryAllocate(4000))
    ptrs.push(ptr);
  assert.throws(() => kernel.arena.allocate(4000, "chunks"), MemoryFullError);
  assert.throws(() => kernel.arena.allocate(4000, "chunks"), /no room for 4000 bytes of chunks/);
  // What is left of a slab serves smaller requests, each with a whole block.
  for (const ptr of ptrs.splice(0, 3)) kernel.arena.free(ptr, 4000);
  for (let i = 0; i < 3; i++) ptrs.push(kernel.arena.allocate(300));
  assert.equal(kernel.arena.tryAllocate(300), 0);
  // A slab without blocks in use serves any size.
  for (const ptr of ptrs.splice(0, 40)) kernel.arena.free(ptr, 4000);
  for (let i = 0; i < 100; i++) ptrs.push(kernel.arena.allocate(300));
  assert.equal(new Set(ptrs).size, ptrs.length);
  // The arena may have fifteen sixteenths and uses nearly all of them; the rest is for queries.
  assert.ok(kernel.arena.usage().usedBytes > 0.9 * layout.memoryBytesMin);
  const reader = attachKernel(kernel.handle(1));
  assert.throws(() => reader.scratch.allocate(1_000_000), MemoryFullError);
  kernel.scratch.allocate(1_000_000);
});

test("retired blocks wait for every reader that was inside", () => {
  const kernel = testKernel();
  const readers = [1, 2].map((slot) => attachKernel(kernel.handle(slot)));
  readers[0]!.epoch.enter();
  const first = kernel.arena.allocate(100);
  kernel.arena.retire(first, 100);
  assert.equal(kernel.arena.reclaim(), 0);
  readers[1]!.epoch.enter();
  readers[1]!.epoch.enter();
  const second = kernel.arena.allocate(100);
  kernel.arena.retire(second, 100);
  readers[0]!.epoch.leave();
  // Reader 1 came after the first was retired but before an epoch passed: it waits for nobody else.
  assert.ok(kernel.arena.reclaim() <= 1);
  readers[1]!.epoch.leave();
  assert.ok(kernel.arena.usage().retiredBytes > 0, "still inside: enter was called twice");
  readers[1]!.epoch.leave();
  kernel.arena.reclaim();
  assert.equal(kernel.arena.usage().retiredBytes, 0);
  for (let i = 0; i < 1000; i++) kernel.arena.retire(kernel.arena.allocate(50), 50);
  assert.equal(kernel.arena.reclaim(), 1000);
  assert.equal(kernel.arena.usage().usedBytes, 0);
});

test("the epochs may pass the end of their 32 bits", () => {
  const kernel = testKernel();
  const { arena, views } = kernel;
  const reader = attachKernel(kernel.handle(1));
  const { globalEpoch } = layout.control;
  for (const ahead of [3, 2, 1]) {
    views.u32[globalEpoch >>> 2] = 2 ** 32 - ahead;
    // What was retired before is freed after.
    for (let i = 0; i < 5; i++) {
      arena.retire(arena.allocate(50), 50);
      assert.equal(arena.reclaim(), 1, `${ahead} epochs before the end, ${i} later`);
    }
    views.u32[globalEpoch >>> 2] = 2 ** 32 - ahead;
    // And what a reader may see is not, whichever epoch it came in.
    for (let i = 0; i < 5; i++) {
      reader.epoch.enter();
      arena.retire(arena.allocate(50), 50);
      for (let later = 0; later < 5; later++) assert.equal(arena.reclaim(), 0, `the reader came ${i} later`);
      reader.epoch.leave();
      assert.equal(arena.reclaim(), 1);
    }
  }
});

test("scratch is a stack with a budget", () => {
  const kernel = testKernel();
  const scratch = kernel.createScratch(3 * 1024 * 1024);
  const mark = scratch.mark();
  const first = scratch.allocate(100);
  const inner = scratch.mark();
  scratch.allocate(2_000_000);
  assert.throws(() => scratch.allocate(4_000_000), ScratchBudgetError);
  scratch.release(inner);
  const again = scratch.allocate(16);
  assert.ok(again >= first + 100 && again < first + 200);
  scratch.release(mark);
  assert.equal(scratch.allocate(100), first);
  assert.ok(scratch.reservedBytes > 0);
  scratch.reset();
  assert.equal(scratch.reservedBytes, 0);
  assert.equal(kernel.usage().usedBytes, fixedBytes);
});

test("scratch blocks do not overlap through any order of marks and releases", () => {
  const kernel = testKernel();
  fc.assert(
    fc.property(
      fc.array(
        fc.oneof(fc.integer({ min: 0, max: 3_000_000 }), fc.constant("mark"), fc.constant("release")),
        {
          maxLength: 40,
          size: "max",
        },
      ),
      (steps) => {
        const scratch = kernel.createScratch();
        const blocks: [number, number][] = [];
        const marks: [number, number][] = [];
        for (const step of steps) {
          if (step === "mark") marks.push([scratch.mark(), blocks.length]);
          else if (step === "release") {
            const mark = marks.pop();
            if (mark === undefined) continue;
            scratch.release(mark[0]);
            blocks.length = mark[1];
          } else if (typeof step === "number") {
            try {
              blocks.push([scratch.allocate(step), step]);
            } catch (error) {
              assert.ok(error instanceof MemoryFullError);
            }
          }
        }
        blocks.sort((a, b) => a[0] - b[0]);
        for (let i = 1; i < blocks.length; i++)
          assert.ok(blocks[i - 1]![0] + blocks[i - 1]![1] < blocks[i]![0]);
        scratch.reset();
        assert.equal(kernel.usage().usedBytes, fixedBytes);
      },
    ),
    { numRuns: 100 },
  );
});

test("what a dead reader held is freed", () => {
  const kernel = testKernel();
  const reader = attachKernel(kernel.handle(5));
  reader.epoch.enter();
  reader.scratch.allocate(5_000_000);
  reader.createScratch().allocate(100);
  kernel.arena.retire(kernel.arena.allocate(64), 64);
  // As if it had died in the allocator.
  kernel.views.u32[layout.control.spanLock >>> 2] = 6;
  kernel.releaseReader(5);
  kernel.arena.reclaim();
  assert.equal(kernel.arena.usage().retiredBytes, 0);
  assert.equal(kernel.usage().usedBytes, fixedBytes + kernel.arena.usage().reservedBytes);
});

test("every worker gets a reader slot of its own", () => {
  const kernel = testKernel();
  const slots = Array.from({ length: 63 }, () => kernel.claimReader().readerSlot);
  assert.equal(new Set(slots).size, 63);
  assert.ok(!slots.includes(0));
  assert.throws(() => kernel.claimReader(), /all 63 reader slots/);
  kernel.releaseReader(17);
  assert.equal(kernel.claimReader().readerSlot, 17);
});

test("threads allocate spans while others are given back, without overlap", async () => {
  const kernel = testKernel();
  const source = `
    const { workerData, parentPort } = require("node:worker_threads");
    import(workerData.face).then(({ attachKernel }) => {
      const kernel = attachKernel(workerData.handle);
      let overlaps = 0;
      for (let i = 0; i < 3000; i++) {
        const bytes = 65536 * (1 + (i % 5));
        const ptr = kernel.allocateSpan(bytes);
        if (ptr === 0) continue;
        const at = ptr >>> 2;
        for (let p = 0; p < bytes; p += 65536) kernel.views.u32[(ptr + p) >>> 2] = workerData.handle.readerSlot;
        for (let p = 0; p < bytes; p += 65536) if (kernel.views.u32[(ptr + p) >>> 2] !== workerData.handle.readerSlot) overlaps++;
        kernel.freeSpan(ptr, bytes);
      }
      parentPort.postMessage(overlaps);
    });`;
  const face = new URL("./index.ts", import.meta.url).href;
  const run = (slot: number): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const worker = new Worker(source, {
        eval: true,
        workerData: { face, handle: kernel.handle(slot) },
      });
      worker.once("message", resolve);
      worker.once("error", reject);
    });
  let isDone = false;
  const workers = Promise.all([1, 2, 3].map(run)).finally(() => (isDone = true));
  const isZeroed = (bytes: Uint8Array): boolean => bytes.fill(0).length > 0;
  while (!isDone) {
    // Meanwhile this thread gives back what none of them has.
    kernel.idlePages.release(isZeroed);
    await setImmediate();
  }
  const results = await workers;
  assert.ok(kernel.idlePages.releasedBytes > 0);
  assert.deepEqual(results, [0, 0, 0]);
  assert.equal(kernel.usage().usedBytes, fixedBytes);
});

test("a byte buffer grows by copy up to its limit", () => {
  const kernel = testKernel();
  const buffer = kernel.createByteBuffer(1_000_000);
  const parts: Buffer[] = [];
  for (let i = 0; i < 90; i++) {
    const part = Buffer.alloc(10_000, i);
    parts.push(part);
    buffer.append(part);
  }
  assert.deepEqual(buffer.copy(), Buffer.concat(parts));
  assert.throws(() => buffer.append(Buffer.alloc(200_000)), MemoryFullError);
  assert.equal(buffer.bytes, 900_000);
  buffer.clear();
  assert.equal(buffer.bytes, 0);
  buffer.close();
  assert.equal(kernel.usage().usedBytes, fixedBytes);
});
