import type { KernelExports } from "./exports.ts";
import { control, isolationNote } from "./layout.ts";
import type { Views } from "./views.ts";

/** Commits and readers: who reads sees each commit whole or not at all, those that were whole when it began. */
export class Isolation {
  readonly #exports: KernelExports;
  readonly #views: Views;

  constructor(exports: KernelExports, views: Views) {
    this.#exports = exports;
    this.#views = views;
  }

  /** Writer: what was appended is seen from now on. To be called also when an appending failed. */
  publish(): void {
    this.#exports.isolationPublish();
  }

  /** Samples that a reader may have seen before the rest of their commit, since there was no memory to note that they came. */
  get lost(): number {
    return this.#views.f64[control.isolationLost / 8]!;
  }

  /** The present state, or one that was pinned, for as long as the epoch that the thread is in. */
  snapshot(pinned?: number): Snapshot {
    return new Snapshot(this.#views, pinned ?? this.now());
  }

  /** What names the present state, good in the epoch that the thread is in. */
  now(): number {
    return Atomics.load(this.#views.u32, control.isolationDone >>> 2);
  }
}

/** A state of the head that several threads can read, until it is released. */
export interface PinnedSnapshot {
  readonly snapshot: number;
  release(): void;
}

/** Which samples of the head one reader sees. */
export class Snapshot {
  readonly #views: Views;
  /** The next note to be read. */
  #at: number;
  /** Of series that were appended to since: their newest sample's time before. Most readers end before there is any. */
  #newestMs: Map<number, number> | undefined;

  constructor(views: Views, at: number) {
    this.#views = views;
    this.#at = at;
  }

  /**
   * Samples of the series after this time are too new: to be left out of what was read before the call. Infinity while nothing was appended to it; -Infinity
   * when it had no samples.
   */
  untilMs(ref: number): number {
    this.#follow();
    return this.#newestMs?.get(ref) ?? Infinity;
  }

  /** Whether nothing was appended since, so that all there is belongs to it. */
  isCurrent(): boolean {
    this.#follow();
    return this.#newestMs === undefined || this.#newestMs.size === 0;
  }

  /** Behind the last note that was read: while no other comes, no commit begins. */
  get place(): number {
    return this.#at;
  }

  #follow(): void {
    const { u32, f64 } = this.#views;
    const end = Atomics.load(u32, control.isolationNext >>> 2);
    while (this.#at !== end) {
      const ref = u32[(this.#at + isolationNote.ref) >>> 2]!;
      if (ref === 0) {
        this.#at = u32[(this.#at + isolationNote.next) >>> 2]!;
        continue;
      }
      const newestMs = (this.#newestMs ??= new Map());
      if (!newestMs.has(ref)) newestMs.set(ref, f64[(this.#at + isolationNote.newestMs) / 8]!);
      this.#at += isolationNote.bytes;
    }
  }
}
