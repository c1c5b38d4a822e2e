import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { createKernel, type Kernel, type SeriesWriter } from "../../kernel/index.ts";
import { compareStrings, Labels } from "../../model/index.ts";
import { ByteWriter } from "../block/bytes.ts";
import { Head } from "../head/head.ts";
import { kernelBytes } from "../test-support.ts";
import { recordType } from "./record.ts";
import { readSeriesRecord, type SeriesEntry } from "./series-record.ts";

type Pair = readonly [name: string, value: string];
interface LoggedSeries {
  readonly ref: number;
  readonly pairs: readonly Pair[];
}

const textArbitrary = fc.oneof(
  fc.constantFrom("", "a", "b", "job", "instance", "le", "ä€😀", "x".repeat(200)),
  fc.string({ maxLength: 12 }),
);
const seriesArbitrary: fc.Arbitrary<LoggedSeries> = fc.record({
  ref: fc.oneof(fc.integer({ min: 1, max: 60 }), fc.constantFrom(20_000, 2 ** 31 - 5, 2 ** 40)),
  pairs: fc
    .uniqueArray(fc.tuple(textArbitrary, textArbitrary), { selector: ([name]) => name, maxLength: 8 })
    .map((pairs) => pairs.sort((a, b) => compareStrings(a[0], b[0]))),
});
const recordsArbitrary = fc.array(fc.array(seriesArbitrary, { maxLength: 12 }), { maxLength: 8 });

function encode(series: readonly LoggedSeries[]): Uint8Array {
  const writer = new ByteWriter().u8(recordType.series);
  for (const { ref, pairs } of series) {
    writer.u32(Math.floor(ref / 2 ** 32)).u32(ref % 2 ** 32);
    writer.uvarint(pairs.length);
    for (const text of pairs.flat()) {
      const bytes = Buffer.from(text);
      writer.uvarint(bytes.length).bytes(bytes);
    }
  }
  return Uint8Array.from(writer.view());
}

function share(kernel: Kernel, bytes: Uint8Array): Uint8Array {
  const ptr = kernel.scratch.allocate(bytes.length + 16);
  kernel.views.u8.set(bytes, ptr);
  return kernel.views.u8.subarray(ptr, ptr + bytes.length);
}

function keyOf(pairs: readonly Pair[]): string {
  return JSON.stringify(pairs);
}

/** Reads records as a replay does, and as a plain map would; both must know the same series under the same refs. */
function checkReplay(records: readonly (readonly LoggedSeries[])[], isEach: boolean): void {
  const kernel = createKernel({ limitBytes: kernelBytes });
  const head = new Head(kernel);
  const known = new Map<string, number>();
  let spare = 1_000_000;
  for (const series of records) {
    const record = share(kernel, encode(series));
    const told: SeriesEntry[] = [];
    const created = readSeriesRecord(head, record, { creates: true, isEach: () => isEach }, (entry) => {
      told.push(entry);
      if (entry.ref === 0) head.create(++spare);
    });
    let createdThere = 0;
    for (const { ref, pairs } of series) {
      const key = keyOf(pairs);
      const isNew = !known.has(key);
      if (isNew) {
        const found = head.find(pairs.flat());
        assert.ok(found === ref || found > 1_000_000);
        if (found === ref) createdThere++;
        known.set(key, found);
      }
      assert.equal(head.find(pairs.flat()), known.get(key));
    }
    assert.equal(created, createdThere);
    if (isEach) assert.equal(told.length, series.length);
    kernel.scratch.reset();
  }
  assert.equal(head.seriesCount, known.size);
  assert.equal(head.seriesCreated, known.size);
  head.labelIndex.sort();
  assert.deepEqual(
    [...head.labelIndex.all()],
    [...known.values()].sort((a, b) => a - b),
  );
  const lists = new Map<string, number[]>();
  for (const [key, ref] of known) {
    const pairs = JSON.parse(key) as Pair[];
    assert.deepEqual(head.labels(ref).pairs, pairs.flat());
    for (const pair of pairs)
      lists.set(JSON.stringify(pair), [...(lists.get(JSON.stringify(pair)) ?? []), ref]);
  }
  for (const [key, refs] of lists) {
    const [name, value] = JSON.parse(key) as [string, string];
    const found = head.labelIndex.postings(head.symbols.find(name), head.symbols.find(value));
    assert.deepEqual(
      [...found],
      refs.sort((a, b) => a - b),
    );
  }
}

test("records of series become series, lists of their labels and symbols", () => {
  fc.assert(fc.property(recordsArbitrary, fc.boolean(), checkReplay), { numRuns: 60 });
});

test("many series of many values: tables grow while a record is read", () => {
  const record = (first: number): LoggedSeries[] =>
    Array.from({ length: 3000 }, (_, i) => ({
      ref: first + i,
      pairs: [
        ["__name__", `metric_${i % 17}`],
        ["id", `value ${first + i}`],
        [`only_${(first + i) % 700}`, "x"],
      ] as Pair[],
    }));
  checkReplay([record(1), record(2500), record(10_000)], false);
});

test("a record that only asks creates nothing", () => {
  const head = new Head(createKernel({ limitBytes: kernelBytes }));
  const { kernel } = head;
  const mine = { ref: 7, pairs: [["__name__", "mine"]] as Pair[] };
  const other = {
    ref: 8,
    pairs: [
      ["__name__", "other"],
      ["z", "1"],
    ] as Pair[],
  };
  readSeriesRecord(
    head,
    share(kernel, encode([mine])),
    { creates: true, isEach: () => false },
    ({ logRef }) => head.create(logRef),
  );
  const told: number[] = [];
  const asks = { creates: false, isEach: () => true };
  readSeriesRecord(head, share(kernel, encode([other, mine, other])), asks, ({ ref }) => told.push(ref));
  assert.deepEqual(told, [0, 7, 0]);
  assert.equal(head.symbols.find("other"), 0);
  assert.equal(head.seriesCount, 1);
});

test("labels in another order are put in order; a name twice is an error", () => {
  const head = new Head(createKernel({ limitBytes: kernelBytes }));
  const { kernel } = head;
  const visit = ({ ref, logRef }: SeriesEntry): void => {
    if (ref === 0) head.create(logRef);
  };
  const options = { creates: true, isEach: () => false };
  const unsorted = [
    {
      ref: 1,
      pairs: [
        ["b", "2"],
        ["a", "1"],
        ["c", "3"],
      ] as Pair[],
    },
  ];
  readSeriesRecord(head, share(kernel, encode(unsorted)), options, visit);
  assert.deepEqual(head.labels(1).pairs, ["a", "1", "b", "2", "c", "3"]);
  for (const pairs of [
    [
      ["a", "1"],
      ["a", "2"],
    ],
    [
      ["b", "1"],
      ["a", "1"],
      ["b", "2"],
    ],
  ] as Pair[][])
    assert.throws(
      () => readSeriesRecord(head, share(kernel, encode([{ ref: 2, pairs }])), options, visit),
      RangeError,
    );
  assert.equal(head.seriesCount, 1);
});

test("a set of more labels than usual makes room for them", () => {
  const pairs = Array.from({ length: 500 }, (_, i): Pair => [
    `l${String(i).padStart(4, "0")}`,
    String(i % 7),
  ]);
  checkReplay(
    [
      [
        { ref: 3, pairs },
        { ref: 4, pairs: pairs.slice(1) },
      ],
    ],
    false,
  );
});

test("malformed records: a RangeError, and the series before are there", () => {
  const head = new Head(createKernel({ limitBytes: kernelBytes }));
  const { kernel } = head;
  const options = { creates: true, isEach: () => false };
  fc.assert(
    fc.property(
      fc.array(seriesArbitrary, { minLength: 1, maxLength: 6 }),
      fc.nat(),
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }),
      (series, cut, changes) => {
        const bytes = encode(series);
        for (const [at, byte] of changes) bytes[1 + (at % Math.max(bytes.length - 1, 1))] = byte;
        const record = share(kernel, bytes.subarray(0, Math.max(1, bytes.length - (cut % 8))));
        try {
          readSeriesRecord(head, record, options, ({ ref }) => {
            if (ref === 0) head.create(head.freshRef());
          });
        } catch (error) {
          assert.ok(error instanceof RangeError, String(error));
        }
        head.forEachSeries((ref) => assert.equal(findBySymbols(head, ref), ref));
        kernel.scratch.reset();
      },
    ),
    { numRuns: 100 },
  );
});

/** Texts may be no UTF-8 after a change. */
function findBySymbols(head: Head, ref: number): number {
  const { series, kernel } = head;
  const { u32 } = kernel.views;
  const labels = kernel.series.labelsPtr(ref) >>> 2;
  series.begin(u32[labels + 1]!);
  for (let i = 0; i < 2 * u32[labels + 1]!; i++) series.setSymbol(i, u32[labels + 2 + i]!);
  return series.find();
}

test("without memory no series is left behind half", () => {
  const kernel = createKernel({ limitBytes: 64 * 1024 * 1024 });
  const head = new Head(kernel);
  const writer: SeriesWriter = head.series;
  const texts = ["__name__", "m", "id", "0", "zone", "z"];
  // There is a page of slots.
  head.getOrCreate(Labels.from({ __name__: "first" }));
  head.find(texts);
  // Fill the arena to the last block.
  const blocks: [ptr: number, bytes: number][] = [];
  for (const bytes of [60_000, 4096, 512, 64, 16])
    for (let ptr = kernel.arena.tryAllocate(bytes); ptr !== 0; ptr = kernel.arena.tryAllocate(bytes))
      blocks.push([ptr, bytes]);
  assert.throws(() => writer.add(2), /memory is full/);
  assert.equal(head.seriesCount, 1);
  assert.equal(head.find(texts), 0);
  for (const [ptr, bytes] of blocks) kernel.arena.free(ptr, bytes);
  assert.equal(head.find(texts), 0);
  head.create(2);
  assert.equal(head.find(texts), 2);
  assert.deepEqual(head.labels(2).pairs, texts);
});
