import type { Kernel } from "../../kernel/index.ts";
import { ByteCursor, ByteWriter, compareBytes } from "./bytes.ts";
import { BlockDamagedError } from "./damage.ts";
import type { BlockFile } from "./file.ts";
import { findSection, readSection, scanSection, type Section } from "./section.ts";

/** One entry in so many has its offset in memory; the others are walked to. */
const sampling = 32;
/** A table that is not sorted, as early versions of upstream wrote them, is sorted in memory; larger ones are refused. */
const unsortedTableBytesMax = 64 * 1024 * 1024;
const countBytes = 4;
const noKey = Buffer.alloc(0);
/** Slot in the cache. */
const samplesSlot = -3;

interface Samples {
  readonly count: number;
  /** Offsets of every 32nd entry, and of the end: in the file, or in `sorted`. */
  readonly offsets: Float64Array;
  /** The entries in order, when the file has them in another one. */
  readonly sorted?: Buffer;
}

/** An entry as a walk over the table sees it; `value` and `offset` are good until the next one. */
export interface PostingsEntry {
  value(): string;
  /** Where the list of series is. */
  offset: number;
}

/** Where in an index the list of series of each label pair is: sorted by name and value, read on demand. */
export class PostingsTable {
  readonly #kernel: Kernel;
  readonly #file: BlockFile;
  readonly #section: Section;
  readonly #cursor = new ByteCursor();
  readonly #entry = new EntryParts();

  /** Throws BlockDamagedError when the section is not within the file. */
  constructor(kernel: Kernel, file: BlockFile, offset: number) {
    this.#kernel = kernel;
    this.#file = file;
    this.#section = findSection(file, offset);
  }

  /** Where the list of the series with this label is; undefined when there is none. */
  find(name: string, value: string): number | undefined {
    const key = { name: Buffer.from(name), value: Buffer.from(value) };
    const at = this.#lowerBound(key.name, key.value);
    if (at === undefined) return undefined;
    const entry = this.#entry.read(at.cursor);
    return entry.compare(key.name, key.value) === 0 ? entry.offset : undefined;
  }

  /** All label names, in the order of their bytes. */
  names(): string[] {
    const names: string[] = [];
    let at = this.#lowerBound(noKey, Buffer.of(0));
    while (at !== undefined) {
      const name = Buffer.from(this.#entry.read(at.cursor).nameBytes());
      if (name.length > 0) names.push(name.toString());
      // No name lies between `name` and the one with a 0 byte more.
      at = this.#lowerBound(Buffer.concat([name, Buffer.of(0)]), noKey);
    }
    return names;
  }

  /** How many values a name has. */
  valueCount(name: string): number {
    const key = Buffer.from(name);
    const { count } = this.#samples();
    const from = this.#lowerBound(key, noKey)?.index ?? count;
    const to = this.#lowerBound(Buffer.concat([key, Buffer.of(0)]), noKey)?.index ?? count;
    return to - from;
  }

  /** Calls with every value of a name, in order, until `visit` returns false. */
  forEachValue(name: string, visit: (entry: PostingsEntry) => boolean | void): void {
    const key = Buffer.from(name);
    const samples = this.#samples();
    const at = this.#lowerBound(key, noKey);
    if (at === undefined) return;
    // A cursor of its own: `visit` may ask this table other things.
    const cursor = new ByteCursor();
    const entry = new EntryParts();
    let group = Math.floor(at.index / sampling);
    this.#group(samples, group, cursor);
    for (let skip = at.index % sampling; skip > 0; skip--) entry.read(cursor);
    for (let index = at.index; index < samples.count; index++) {
      if (cursor.left === 0) this.#group(samples, ++group, cursor);
      entry.read(cursor);
      if (entry.compareName(key) !== 0 || visit(entry) === false) return;
    }
  }

  /** Reads the whole section. Throws BlockDamagedError when it does not hold together. */
  verify(): void {
    this.#scan();
  }

  /** The first entry that is not before (name, value): its index, and a cursor at it. */
  #lowerBound(name: Uint8Array, value: Uint8Array): { index: number; cursor: ByteCursor } | undefined {
    const samples = this.#samples();
    const cursor = this.#cursor;
    let low = 0;
    let high = Math.ceil(samples.count / sampling);
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      this.#group(samples, middle, cursor);
      if (this.#entry.read(cursor).compare(name, value) <= 0) low = middle;
      else high = middle;
    }
    if (samples.count === 0) return undefined;
    this.#group(samples, low, cursor);
    for (let index = low * sampling; index < samples.count; index++) {
      if (cursor.left === 0) this.#group(samples, Math.floor(index / sampling), cursor);
      const start = cursor.at;
      if (this.#entry.read(cursor).compare(name, value) < 0) continue;
      cursor.at = start;
      return { index, cursor };
    }
    return undefined;
  }

  #group({ offsets, sorted }: Samples, group: number, cursor: ByteCursor): void {
    const start = offsets[group]!;
    const end = offsets[group + 1]!;
    if (sorted !== undefined) cursor.set(this.#file.path, this.#section.start, sorted, start, end);
    else this.#file.view(start, end - start, cursor);
  }

  #samples(): Samples {
    const { cache, number } = this.#file;
    const known = cache.get(number, samplesSlot) as Samples | undefined;
    if (known !== undefined) return known;
    const samples = this.#scan();
    return cache.put(
      number,
      samplesSlot,
      samples,
      samples.offsets.byteLength + (samples.sorted?.length ?? 0),
    );
  }

  #scan(): Samples {
    const { start, end } = this.#section;
    const count = this.#file.view(start, countBytes, new ByteCursor()).u32();
    if (count > end - start)
      this.#file.view(start, 0, this.#cursor).fail(`${count} entries do not fit the section`);
    const offsets = new Float64Array(Math.ceil(count / sampling) + 1);
    let previousName: Buffer = noKey;
    let previousValue: Buffer = noKey;
    let isSorted = true;
    let seen = 0;
    let last = start + countBytes;
    scanSection(this.#kernel, this.#file, this.#section, start + countBytes, count, (cursor, offset) => {
      const entry = this.#entry.read(cursor);
      isSorted &&= entry.compare(previousName, previousValue) >= 0;
      previousName = entry.nameBytes();
      previousValue = entry.valueBytes();
      if (seen % sampling === 0) offsets[seen / sampling] = offset;
      seen++;
      last = cursor.offset;
    });
    offsets[offsets.length - 1] = last;
    return isSorted ? { count, offsets } : this.#sort(count);
  }

  #sort(count: number): Samples {
    const { start, end } = this.#section;
    if (end - start > unsortedTableBytesMax)
      throw new BlockDamagedError(
        this.#file.path,
        start,
        `postings table is not sorted and larger than ${unsortedTableBytesMax} bytes`,
      );
    const content = readSection(this.#kernel, this.#file, this.#section);
    const cursor = new ByteCursor().set(this.#file.path, start, content, countBytes, content.length);
    const entries = Array.from({ length: count }, () => {
      const from = cursor.at;
      const entry = this.#entry.read(cursor);
      return { name: entry.nameBytes(), value: entry.valueBytes(), bytes: content.subarray(from, cursor.at) };
    });
    entries.sort((a, b) => Buffer.compare(a.name, b.name) || Buffer.compare(a.value, b.value));
    const writer = new ByteWriter(content.length);
    const offsets = new Float64Array(Math.ceil(count / sampling) + 1);
    entries.forEach(({ bytes }, index) => {
      if (index % sampling === 0) offsets[index / sampling] = writer.length;
      writer.bytes(bytes);
    });
    offsets[offsets.length - 1] = writer.length;
    return { count, offsets, sorted: writer.view() };
  }
}

/** One entry, { u8 2, uvarint length, name, uvarint length, value, uvarint offset }, as places in the cursor's bytes. */
class EntryParts implements PostingsEntry {
  offset = 0;
  #bytes: Buffer = noKey;
  #nameStart = 0;
  #nameEnd = 0;
  #valueStart = 0;
  #valueEnd = 0;

  read(cursor: ByteCursor): this {
    if (cursor.u8() !== 2) cursor.fail("postings entry without name and value");
    const nameBytes = cursor.uvarint();
    this.#nameStart = cursor.skip(nameBytes);
    this.#nameEnd = cursor.at;
    const valueBytes = cursor.uvarint();
    this.#valueStart = cursor.skip(valueBytes);
    this.#valueEnd = cursor.at;
    this.offset = cursor.uvarint();
    this.#bytes = cursor.bytes;
    return this;
  }

  compare(name: Uint8Array, value: Uint8Array): number {
    return this.compareName(name) || compareBytes(this.#bytes, this.#valueStart, this.#valueEnd, value);
  }

  compareName(name: Uint8Array): number {
    return compareBytes(this.#bytes, this.#nameStart, this.#nameEnd, name);
  }

  nameBytes(): Buffer {
    return this.#bytes.subarray(this.#nameStart, this.#nameEnd);
  }

  valueBytes(): Buffer {
    return this.#bytes.subarray(this.#valueStart, this.#valueEnd);
  }

  value(): string {
    return this.#bytes.toString("utf8", this.#valueStart, this.#valueEnd);
  }
}
