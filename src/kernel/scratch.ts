import { assert } from "../base/index.ts";
import { MemoryFullError, ScratchBudgetError } from "./errors.ts";
import type { KernelExports } from "./exports.ts";
import { control, pageBytes, reader } from "./layout.ts";
import type { Views } from "./views.ts";

interface Span {
  readonly ptr: number;
  readonly bytes: number;
  /** Bytes of the spans below. */
  readonly start: number;
}

const spanHeaderBytes = 16;
const spanBytesMin = 16 * pageBytes;
const allSpansBytesMax = 2 ** 40;

/**
 * Short-lived memory of one query: a stack of spans with bump allocation. `release(mark)` returns everything allocated
 * since `mark()`; `reset()` gives all spans back. Blocks are 16-byte aligned, followed by readable slack, and not zeroed. Several may live side by
 * side in one thread (one per running query): `Kernel.createScratch`. A thread that dies leaves its spans to `Kernel.releaseReader`.
 *
 * Each span begins with { u32 next, u32 bytes }: the list, headed in the reader's record, of all spans of all scratches of that thread.
 */
export class Scratch {
  readonly #exports: KernelExports;
  readonly #views: Views;
  readonly #readerSlot: number;
  readonly #spans: Span[] = [];
  #budgetBytes: number;
  #reservedBytes = 0;
  #bump = 0;
  #end = 0;

  constructor(exports: KernelExports, views: Views, readerSlot: number, budgetBytes = allSpansBytesMax) {
    this.#exports = exports;
    this.#views = views;
    this.#readerSlot = readerSlot;
    this.#budgetBytes = budgetBytes;
  }

  get budgetBytes(): number {
    return this.#budgetBytes;
  }

  set budgetBytes(bytes: number) {
    this.#budgetBytes = bytes;
  }

  /** Bytes of spans held now. */
  get reservedBytes(): number {
    return this.#reservedBytes;
  }

  /** A block of `bytes`; throws ScratchBudgetError or MemoryFullError, leaving what was allocated as it was. */
  allocate(bytes: number): number {
    const rounded = (bytes + 31) & ~15;
    assert(bytes >= 0 && bytes < 2 ** 31 - 64, "scratch block below 2 GiB");
    if (this.#end - this.#bump < rounded) this.#addSpan(rounded);
    const ptr = this.#bump;
    this.#bump += rounded;
    return ptr;
  }

  allocateZeroed(bytes: number): number {
    const ptr = this.allocate(bytes);
    this.#views.u8.fill(0, ptr, ptr + bytes);
    return ptr;
  }

  /** A position for `release`. */
  mark(): number {
    const top = this.#spans.at(-1);
    return top === undefined ? 0 : top.start + (this.#bump - top.ptr);
  }

  /** Returns what was allocated since `mark` was taken. */
  release(mark: number): void {
    for (;;) {
      const top = this.#spans.at(-1);
      if (top === undefined) return;
      if (top.start < mark) {
        this.#bump = top.ptr + (mark - top.start);
        return;
      }
      if (this.#spans.length === 1) {
        // The last span stays: the next query of a small size finds it ready.
        this.#bump = top.ptr + spanHeaderBytes;
        return;
      }
      this.#dropSpan(top);
    }
  }

  /** Gives every span back. */
  reset(): void {
    for (let top = this.#spans.at(-1); top !== undefined; top = this.#spans.at(-1)) this.#dropSpan(top);
  }

  #addSpan(bytesNeeded: number): void {
    const doubled = Math.min(this.#reservedBytes, 64 * 1024 * 1024);
    const bytesMin = roundToPages(bytesNeeded + spanHeaderBytes);
    let bytes = Math.max(bytesMin, spanBytesMin, roundToPages(doubled));
    if (this.#reservedBytes + bytes > this.#budgetBytes) bytes = bytesMin;
    if (this.#reservedBytes + bytes > this.#budgetBytes) throw new ScratchBudgetError(this.#budgetBytes);
    let ptr = this.#exports.allocateSpan(bytes, this.#readerSlot) >>> 0;
    if (ptr === 0 && bytes > bytesMin) {
      bytes = bytesMin;
      ptr = this.#exports.allocateSpan(bytes, this.#readerSlot) >>> 0;
    }
    if (ptr === 0) throw new MemoryFullError("query scratch", bytes);
    const { u32 } = this.#views;
    const head = scratchHeadIndex(this.#readerSlot);
    u32[ptr >>> 2] = u32[head]!;
    u32[(ptr >>> 2) + 1] = bytes;
    u32[head] = ptr;
    const top = this.#spans.at(-1);
    const start = top === undefined ? 0 : top.start + top.bytes;
    this.#spans.push({ ptr, bytes, start });
    this.#reservedBytes += bytes;
    this.#bump = ptr + spanHeaderBytes;
    this.#end = ptr + bytes;
  }

  #dropSpan(top: Span): void {
    const { u32 } = this.#views;
    let link = scratchHeadIndex(this.#readerSlot);
    while (u32[link] !== top.ptr) {
      assert(u32[link] !== 0, "scratch span is in its reader's list: one thread per reader slot");
      link = u32[link]! >>> 2;
    }
    u32[link] = u32[top.ptr >>> 2]!;
    this.#exports.freeSpan(top.ptr, top.bytes, this.#readerSlot);
    this.#reservedBytes -= top.bytes;
    this.#spans.pop();
    const next = this.#spans.at(-1);
    this.#end = next === undefined ? 0 : next.ptr + next.bytes;
    this.#bump = this.#end;
  }
}

export function scratchHeadIndex(readerSlot: number): number {
  return (control.readers + readerSlot * reader.bytes + reader.scratchSpans) >>> 2;
}

function roundToPages(bytes: number): number {
  return Math.ceil(bytes / pageBytes) * pageBytes;
}
