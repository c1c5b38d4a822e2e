import { type Kernel, layout } from "../../kernel/index.ts";
import { dropPairs, findPair, forEachPair, pairCount, removePair } from "./pair-table.ts";
import { filterPostings, postingCount, readPostings, sortPostings } from "./posting-list.ts";
import type { SymbolTable } from "./symbols.ts";

const namesIndex = layout.headWord.names >>> 2;
const allIndex = layout.headWord.allSeries >>> 2;

/** Label name → label value → posting list, as any thread reads it. What it returns is valid within the epoch. */
export class LabelIndexReader {
  protected readonly u32: Uint32Array;

  constructor(kernel: Kernel) {
    this.u32 = kernel.views.u32;
  }

  /** All refs, ascending. */
  all(): Uint32Array {
    return readPostings(this.u32, allIndex);
  }

  get seriesCount(): number {
    return postingCount(this.u32, allIndex);
  }

  /** The refs of the series with this label pair, ascending; none when a symbol is 0. */
  postings(name: number, value: number): Uint32Array {
    if (value === 0) return new Uint32Array(0);
    const at = findPair(this.u32, this.valuesTable(name), value);
    return at === 0 ? new Uint32Array(0) : readPostings(this.u32, at);
  }

  get nameCount(): number {
    return pairCount(this.u32, this.u32[namesIndex]!);
  }

  /** How many values a label name has; 0 when no series has the label. */
  valueCount(name: number): number {
    return pairCount(this.u32, this.valuesTable(name));
  }

  forEachName(visit: (name: number) => void): void {
    forEachPair(this.u32, Atomics.load(this.u32, namesIndex), (name) => {
      if (this.valueCount(name) > 0) visit(name);
    });
  }

  /** Calls with every value of the label, the number of its series, and a way to get them. */
  forEachValue(name: number, visit: (value: number, count: number, refs: () => Uint32Array) => void): void {
    forEachPair(this.u32, this.valuesTable(name), (value, listIndex) => {
      const count = postingCount(this.u32, listIndex);
      if (count > 0) visit(value, count, () => readPostings(this.u32, listIndex));
    });
  }

  protected valuesTable(name: number): number {
    const at = findPair(this.u32, Atomics.load(this.u32, namesIndex), name);
    return at === 0 ? 0 : Atomics.load(this.u32, at);
  }
}

/** Writer thread only: puts the index in order and clears series away. It grows with the series that the kernel creates. */
export class LabelIndex extends LabelIndexReader {
  readonly #kernel: Kernel;
  readonly #symbols: SymbolTable;

  constructor(kernel: Kernel, symbols: SymbolTable) {
    super(kernel);
    this.#kernel = kernel;
    this.#symbols = symbols;
  }

  /** Puts the lists in order that a replay filled out of order. Throws MemoryFullError. */
  sort(): void {
    forEachPair(this.u32, this.u32[namesIndex]!, (_, tableIndex) => {
      forEachPair(this.u32, this.u32[tableIndex]!, (_value, listIndex) =>
        sortPostings(this.#kernel, listIndex),
      );
    });
    sortPostings(this.#kernel, allIndex);
  }

  removeFromAll(isDead: (ref: number) => boolean): void {
    filterPostings(this.#kernel, allIndex, (ref) => !isDead(ref));
  }

  /** Takes dead series out of the list of one label pair, and forgets the value, then the name, that nobody has any more. */
  removeFromPair(name: number, value: number, isDead: (ref: number) => boolean): void {
    const u32 = this.u32;
    const tableIndex = findPair(u32, u32[namesIndex]!, name);
    const listIndex = tableIndex === 0 ? 0 : findPair(u32, u32[tableIndex]!, value);
    if (listIndex === 0 || filterPostings(this.#kernel, listIndex, (ref) => !isDead(ref)) > 0) return;
    removePair(u32, u32[tableIndex]!, value);
    this.#symbols.addUses(value, -1);
    if (pairCount(u32, u32[tableIndex]!) > 0) return;
    dropPairs(this.#kernel, tableIndex);
    removePair(u32, u32[namesIndex]!, name);
    this.#symbols.addUses(name, -1);
  }
}
