import type { ByteCursor } from "./bytes.ts";

/** Looks at the labels of a series. */
export type LabelTest = (entry: SeriesEntry) => boolean;

/** A series of an index: its labels as symbols, and where its chunks are. One object is filled again and again. */
export class SeriesEntry {
  ref = -1;
  /** Label pairs. */
  labelCount = 0;
  /** Name, value, name, value …: twice `labelCount` are in use. */
  symbols = new Uint32Array(64);
  chunkCount = 0;
  /** Per chunk: times of its first and last sample in milliseconds, and segment × 2³² + offset. */
  minTimesMs = new Float64Array(16);
  maxTimesMs = new Float64Array(16);
  chunkRefs = new Float64Array(16);

  /**
   * Fills this from the bytes between a series' length and checksum: without the chunks when `isWanted` says no to the labels. Throws BlockDamagedError, then what
   * this holds is undefined.
   */
  read(ref: number, cursor: ByteCursor, isWanted?: LabelTest): void {
    this.clear();
    this.#readLabels(cursor);
    if (isWanted === undefined || isWanted(this)) this.#readChunks(cursor);
    this.ref = ref;
  }

  /** Makes this a series without labels and chunks. */
  clear(): void {
    this.ref = -1;
    this.labelCount = 0;
    this.chunkCount = 0;
  }

  /** The first chunk that does not end before `timeMs`; `chunkCount` when all do. */
  firstChunkFrom(timeMs: number): number {
    let low = 0;
    let high = this.chunkCount;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.maxTimesMs[middle]! < timeMs) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #readLabels(cursor: ByteCursor): void {
    const count = cursor.uvarint();
    if (count * 2 > cursor.left) cursor.fail(`${count} labels do not fit the series`);
    if (count * 2 > this.symbols.length) this.symbols = new Uint32Array(count * 4);
    this.labelCount = count;
    for (let i = 0; i < count * 2; i++) this.symbols[i] = cursor.uvarint();
  }

  #readChunks(cursor: ByteCursor): void {
    const count = cursor.uvarint();
    if (count * 3 > cursor.left) cursor.fail(`${count} chunks do not fit the series`);
    if (count > this.chunkRefs.length) {
      this.minTimesMs = new Float64Array(count * 2);
      this.maxTimesMs = new Float64Array(count * 2);
      this.chunkRefs = new Float64Array(count * 2);
    }
    this.chunkCount = count;
    let timeMs = 0;
    let chunkRef = 0;
    for (let i = 0; i < count; i++) {
      timeMs += i === 0 ? cursor.varint() : cursor.uvarint();
      this.minTimesMs[i] = timeMs;
      timeMs += cursor.uvarint();
      this.maxTimesMs[i] = timeMs;
      chunkRef += i === 0 ? cursor.uvarint() : cursor.varint();
      if (chunkRef < 0 || !Number.isSafeInteger(chunkRef) || !Number.isSafeInteger(timeMs))
        cursor.fail("chunk outside of what numbers can express");
      this.chunkRefs[i] = chunkRef;
    }
  }
}
