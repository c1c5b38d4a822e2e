import type { Block } from "./block.ts";
import { ChunkWindow } from "./chunk-window.ts";
import type { IndexWriter } from "./index-writer.ts";
import { SeriesEntry } from "./series-entry.ts";

/** Walks over all series of a block in order, with labels in the numbers of the index that is being written. Its owner must `close` it. */
export class SeriesCursor {
  readonly block: Block;
  readonly window: ChunkWindow;
  readonly entry = new SeriesEntry();
  /** Of the present series. */
  labels: Uint32Array = new Uint32Array(0);
  readonly #target: IndexWriter;
  readonly #refs: Uint32Array;
  /** The block's symbols in the numbers of the target. */
  readonly #symbols = new Map<number, number>();
  #at = 0;

  /** Throws BlockDamagedError. */
  constructor(block: Block, target: IndexWriter) {
    this.block = block;
    this.#target = target;
    this.#refs = block.index.allPostings();
    this.window = new ChunkWindow(block.context.kernel, block.segments);
  }

  /** Moves to the next series; false when there is none. Throws BlockDamagedError. */
  next(): boolean {
    const ref = this.#refs[this.#at++];
    if (ref === undefined) return false;
    const { entry } = this;
    this.block.index.readSeries(ref, entry);
    const labels = new Uint32Array(2 * entry.labelCount);
    for (let i = 0; i < labels.length; i++) labels[i] = this.#translate(entry.symbols[i]!);
    this.labels = labels;
    return true;
  }

  close(): void {
    this.window.close();
  }

  #translate(symbol: number): number {
    let translated = this.#symbols.get(symbol);
    if (translated === undefined) {
      translated = this.#target.intern(this.block.index.symbols.text(symbol));
      this.#symbols.set(symbol, translated);
    }
    return translated;
  }
}
