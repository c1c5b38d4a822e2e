import type { Block } from "./block.ts";
import { ChunkWindow } from "./chunk-window.ts";
import type { SymbolTranslation } from "./merge-symbols.ts";
import { SeriesEntry } from "./series-entry.ts";

/** Walks over all series of a block in order, with labels as symbols of the index that is being written. Its owner must `close` it. */
export class SeriesCursor {
  readonly block: Block;
  readonly window: ChunkWindow;
  readonly entry = new SeriesEntry();
  /** Of the present series. */
  labels: Uint32Array = new Uint32Array(0);
  readonly #translate: SymbolTranslation;
  readonly #refs: Uint32Array;
  #at = 0;

  /** Throws BlockDamagedError. */
  constructor(block: Block, translate: SymbolTranslation) {
    this.block = block;
    this.#translate = translate;
    this.#refs = block.index.allPostings();
    this.window = new ChunkWindow(block.context.kernel, block.segments);
  }

  /** Moves to the next series; false when there is none. Throws BlockDamagedError. */
  next(): boolean {
    const ref = this.#refs[this.#at++];
    if (ref === undefined) return false;
    const { entry } = this;
    this.block.index.readSeries(ref, entry);
    this.labels = entry.symbols.subarray(0, 2 * entry.labelCount).map(this.#translate);
    return true;
  }

  close(): void {
    this.window.close();
  }
}
