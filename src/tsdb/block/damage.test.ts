import assert from "node:assert/strict";
import { readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { Labels, Matcher } from "../../model/index.ts";
import { bitsOf, type Dump, dump, temporaryDirectory } from "../test-support.ts";
import { Block, isBlockFault, verifyBlock } from "./block.ts";
import { ByteWriter } from "./bytes.ts";
import { BlockCache } from "./cache.ts";
import { checksumOf } from "./checksum.ts";
import { compactBlocks } from "./compact.ts";
import { BlockDamagedError, BlockNotices } from "./damage.ts";
import { IndexReader } from "./index-reader.ts";
import { indexMagic } from "./index-format.ts";
import { BlockQuerier } from "./querier.ts";
import { SeriesEntry } from "./series-entry.ts";
import { blockQueryable, type ModelSeries, testContext, writeModel } from "./test-support.ts";
import { createUlid } from "./ulid.ts";

const context = testContext();
const { kernel, disk } = context;

function sample(): ModelSeries[] {
  return Array.from({ length: 70 }, (_, id) => ({
    labels: Labels.from({ __name__: `m${id % 4}`, id: `${id}`, path: "/a/b".repeat(id % 9) || "x" }),
    samples: Array.from({ length: 130 }, (_, i) => [1000 * i, bitsOf(i * id + 0.1)] as const),
  }));
}

/** A sound block, whose files are changed and put back. */
function openVictim(t: { after: (run: () => void) => void }): {
  path: string;
  ulid: string;
  directory: string;
} {
  const directory = temporaryDirectory();
  t.after(() => rmSync(directory, { recursive: true }));
  const { ulid } = writeModel(context, directory, sample());
  return { directory, ulid, path: `${directory}/${ulid}` };
}

/** Everything that can be asked of a block. Only expected errors may come out, and only when it is opened. */
function exercise(path: string): BlockNotices {
  const notices = new BlockNotices();
  let block: Block;
  try {
    block = Block.open(context, path);
  } catch (error) {
    assert.ok(isBlockFault(error), String(error));
    notices.damages++;
    return notices;
  }
  try {
    dump(kernel, blockQueryable(block, notices), [], -1e15, 1e15);
    dump(kernel, blockQueryable(block, notices), [new Matcher("=~", "id", "1.*")], 0, 50_000, {
      index: 0,
      count: 2,
    });
    const hints = { minTimestampMs: 0, maxTimestampMs: 1e15 };
    const querier = new BlockQuerier(block, notices);
    querier.labelNames([], hints);
    querier.labelValues("id", [new Matcher("!=", "path", "x")], hints);
    querier.seriesCountMax([new Matcher("=", "__name__", "m1")]);
    querier.close();
    verifyBlock(block);
  } catch (error) {
    if (!(error instanceof BlockDamagedError)) throw error;
    assert.match(error.message, /: damaged at byte \d+: /);
    notices.damages++;
  } finally {
    block.release();
  }
  return notices;
}

for (const file of ["index", "chunks/000001", "tombstones", "meta.json"]) {
  test(`any change of ${file} is noticed, and nothing but the typed error comes of it`, (t) => {
    const { path } = openVictim(t);
    const name = `${path}/${file}`;
    const bytes = readFileSync(name);
    assert.equal(exercise(path).damages, 0);
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const changed = Buffer.from(bytes);
        changed[at]! ^= flip;
        writeFileSync(name, changed);
        const notices = exercise(path);
        // Bytes between sections mean nothing, and a number in meta.json may be another number.
        const isPadding = file === "index" && bytes[at] === 0;
        if (!isPadding && file !== "meta.json" && !(file.startsWith("chunks") && at >= 5 && at < 8))
          assert.ok(notices.damages > 0, `byte ${at} xor ${flip}`);
      }),
      { numRuns: 150 },
    );
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), (length) => {
        writeFileSync(name, bytes);
        truncateSync(name, length);
        assert.ok(exercise(path).damages > 0, `cut to ${length}`);
      }),
      { numRuns: 60 },
    );
    writeFileSync(name, bytes);
    assert.equal(exercise(path).damages, 0);
  });
}

test("hostile bytes under a good checksum are damage too", (t) => {
  const { path } = openVictim(t);
  const name = `${path}/index`;
  const original = readFileSync(name);
  const reader = new IndexReader(kernel, disk, name, context.cache);
  const { toc } = reader;
  const ref = reader.allPostings()[5]!;
  reader.close();
  const sections = [
    { start: toc.symbols + 4, length: original.readUInt32BE(toc.symbols) },
    { start: toc.postingsTable + 4, length: original.readUInt32BE(toc.postingsTable) },
    { start: toc.postings + 4, length: original.readUInt32BE(toc.postings) },
    { start: ref * 16 + 1, length: original[ref * 16]! },
    { start: original.length - 52, length: 48 },
  ];
  fc.assert(
    fc.property(
      fc.constantFrom(...sections),
      fc.array(fc.tuple(fc.nat(2 ** 20), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 8 }),
      ({ start, length }, changes) => {
        const changed = Buffer.from(original);
        for (const [at, value] of changes) changed[start + (at % length)] = value;
        changed.writeUInt32BE(checksumOf(kernel, changed.subarray(start, start + length)), start + length);
        writeFileSync(name, changed);
        exercise(path);
      },
    ),
    { numRuns: 300 },
  );
});

test("random bytes are no index, no chunks, no tombstones and no metadata", (t) => {
  const { path } = openVictim(t);
  for (const file of ["index", "chunks/000001", "tombstones", "meta.json"]) {
    const name = `${path}/${file}`;
    const original = readFileSync(name);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        writeFileSync(name, bytes);
        assert.ok(exercise(path).damages > 0);
      }),
      { numRuns: 60 },
    );
    writeFileSync(name, original);
  }
});

test("a damaged chunk costs its samples, a damaged series itself, and a compaction refuses both", (t) => {
  const { path, directory } = openVictim(t);
  const chunks = readFileSync(`${path}/chunks/000001`);
  const before = dump(kernel, blockQueryable(Block.open(context, path)), [], -1e15, 1e15);
  chunks[300]! ^= 1;
  writeFileSync(`${path}/chunks/000001`, chunks);
  const errors: Error[] = [];
  const notices = new BlockNotices((error) => errors.push(error));
  const block = Block.open(context, path);
  const after = dump(kernel, blockQueryable(block, notices), [], -1e15, 1e15);
  assert.equal(notices.damages, 1);
  assert.match(errors[0]!.message, /chunks\/000001: damaged at byte \d+: wrong checksum of a chunk$/);
  const changed = [...before].filter(([key, samples]) => samples.length !== after.get(key)!.length);
  assert.equal(changed.length, 1);
  assert.ok([120, 10].includes(changed[0]![1].length - after.get(changed[0]![0])!.length));
  const target = { kernel, disk, dataDirectory: directory, ulid: createUlid(5) };
  assert.throws(() => compactBlocks([block], target), { name: "BlockDamagedError" });
  assert.deepEqual(disk.list(directory), [path.slice(path.lastIndexOf("/") + 1)]);
  block.release();
});

test("any single read that fails costs its query and nothing else", (t) => {
  const { path } = openVictim(t);
  let calls = 0;
  let failing = Infinity;
  const faulty = {
    ...disk,
    read(fd: number, bytes: Uint8Array, position: number): number {
      if (calls++ === failing) throw Object.assign(new Error("EIO: injected"), { code: "EIO" });
      return disk.read(fd, bytes, position);
    },
  };
  let isComplete = false;
  for (let call = 0; !isComplete; call++) {
    const cache = new BlockCache();
    calls = 0;
    failing = call;
    let block: Block | undefined;
    const ask = (): Dump =>
      dump(
        kernel,
        blockQueryable(
          (block ??= Block.open({ kernel, disk: faulty, cache }, path)),
          new BlockNotices(assert.fail),
        ),
      );
    let first: Dump | undefined;
    try {
      first = ask();
      isComplete = calls <= call;
    } catch (error) {
      assert.match((error as Error).message, /: cannot be read at byte \d+: EIO: injected$/);
    }
    failing = Infinity;
    assert.equal(ask().size, 70);
    if (first) assert.deepEqual(ask(), first);
    block!.release();
  }
});

test("chunks of another encoding are no floats, unknown ones are damage", (t) => {
  const { path } = openVictim(t);
  const name = `${path}/chunks/000001`;
  const chunks = readFileSync(name);
  // The first chunk becomes a histogram by name, under a good checksum.
  const dataBytes =
    chunks.readUInt16BE(8) & 0x7f ? ((chunks[9]! & 0x7f) << 7) | (chunks[8]! & 0x7f) : chunks[8]!;
  const start = chunks[8]! < 0x80 ? 9 : 10;
  const length = chunks[8]! < 0x80 ? chunks[8]! : dataBytes;
  for (const [encoding, damages] of [
    [2, 0],
    [9, 1],
  ] as const) {
    chunks[start] = encoding;
    chunks.writeUInt32BE(checksumOf(kernel, chunks.subarray(start, start + 1 + length)), start + 1 + length);
    writeFileSync(name, chunks);
    const block = Block.open(context, path);
    const notices = new BlockNotices();
    const [first] = [...dump(kernel, blockQueryable(block, notices), [], -1e15, 1e15).values()];
    assert.equal(first!.length, 10, "the second chunk is there");
    assert.equal(notices.damages, damages);
    block.release();
  }
});

test("an index of version 1, with offsets as symbols and its table in any order, is read", (t) => {
  const directory = temporaryDirectory();
  t.after(() => rmSync(directory, { recursive: true }));
  const texts = ["__name__", "a", "b", "m", "x"];
  const pairs = [
    ["x", "a"],
    ["", ""],
    ["__name__", "m"],
    ["x", "b"],
  ] as const;
  const out = new ByteWriter().u32(indexMagic).u8(1);
  const section = (content: ByteWriter): number => {
    const offset = out.length;
    out.u32(content.length).bytes(content.view()).u32(checksumOf(kernel, content.view()));
    return offset;
  };
  const symbolOffsets = new Map<string, number>();
  const symbols = new ByteWriter().u32(texts.length);
  for (const text of texts) {
    symbolOffsets.set(text, out.length + 4 + symbols.length);
    symbols.text(text);
  }
  const toc = [section(symbols), out.length];
  const refs = ["a", "b"].map((value) => {
    const content = new ByteWriter().uvarint(2);
    for (const text of ["__name__", "m", "x", value]) content.uvarint(symbolOffsets.get(text)!);
    content.uvarint(1).varint(1000).uvarint(5).uvarint(8);
    const ref = out.length;
    out.uvarint(content.length).bytes(content.view()).u32(checksumOf(kernel, content.view()));
    return ref;
  });
  toc.push(out.length, out.length, out.length);
  const table = new ByteWriter().u32(pairs.length);
  for (const [name, value] of pairs) {
    const list = name === "x" ? [refs[value === "a" ? 0 : 1]!] : refs;
    const content = new ByteWriter().u32(list.length);
    for (const ref of list) content.u32(ref);
    table.u8(2).text(name).text(value).uvarint(section(content));
  }
  toc.push(section(table));
  const end = new ByteWriter();
  for (const offset of toc) end.u64(offset);
  out.bytes(end.view()).u32(checksumOf(kernel, end.view()));
  writeFileSync(`${directory}/index`, out.view());

  const reader = new IndexReader(kernel, disk, `${directory}/index`, context.cache);
  const entry = new SeriesEntry();
  reader.verify(() => {}, entry);
  assert.deepEqual(reader.postingsTable.names(), ["__name__", "x"]);
  assert.deepEqual([...reader.postings("x", "b")], [refs[1]]);
  assert.deepEqual([...reader.postings("__name__", "m")], refs);
  reader.readSeries(refs[1]!, entry);
  assert.deepEqual(
    [...entry.symbols.subarray(0, 4)].map((symbol) => reader.symbols.text(symbol)),
    ["__name__", "m", "x", "b"],
  );
  assert.equal(reader.symbols.find("m"), symbolOffsets.get("m"));
  assert.equal(reader.symbols.find("nope"), undefined);
  assert.throws(() => reader.symbols.text(3), BlockDamagedError);
  reader.close();
});
