import type { KernelExports } from "./exports.ts";
import type { Views } from "./views.ts";

/** Places of chunks in what is loaded of a file, in a table in the shared memory. */
export interface StoredChunkTable {
  readonly tablePtr: number;
  readonly count: number;
}

/** Bytes of a block's chunk file; readable slack follows them. */
export interface LoadedBytes {
  readonly ptr: number;
  readonly bytes: number;
}

/** How many of a table's chunks were dealt with, and their samples. With the chunk behind them something is the matter. */
export interface StoredFloats {
  readonly chunks: number;
  readonly samples: number;
}

/** Places behind the word that counts samples. */
const tableHeaderWords = 1;

/** Bytes of a table of so many chunks. */
export function storedTableBytes(chunks: number): number {
  return 4 * (tableHeaderWords + chunks);
}

/** Chunks of floats as they stand in a block's files, many at once. A chunk that is not of floats, or not whole in what is loaded, ends the work. */
export class StoredChunks {
  readonly #exports: KernelExports;
  readonly #views: Views;

  constructor(exports: KernelExports, views: Views) {
    this.#exports = exports;
    this.#views = views;
  }

  /** Puts the place of a table's `index`th chunk, in bytes from the first that is loaded. */
  setPlace(tablePtr: number, index: number, place: number): void {
    this.#views.u32[(tablePtr >>> 2) + tableHeaderWords + index] = place;
  }

  /** The samples of the chunks, as these say themselves. */
  count({ ptr, bytes }: LoadedBytes, { tablePtr, count }: StoredChunkTable): StoredFloats {
    return this.#found(tablePtr, this.#exports.countStoredFloats(ptr, bytes, tablePtr, count));
  }

  /** Decodes the chunks to columns, one behind the other; ends at one that is damaged, too, or has no room. */
  decode(
    { ptr, bytes }: LoadedBytes,
    { tablePtr, count }: StoredChunkTable,
    columns: { readonly timestamps: number; readonly values: number; readonly capacity: number },
  ): StoredFloats {
    const { timestamps, values, capacity } = columns;
    const table = [tablePtr, count] as const;
    const chunks = this.#exports.decodeStoredFloats(ptr, bytes, ...table, timestamps, values, capacity);
    return this.#found(tablePtr, chunks);
  }

  #found(tablePtr: number, chunks: number): StoredFloats {
    return { chunks, samples: this.#views.u32[tablePtr >>> 2]! };
  }
}
