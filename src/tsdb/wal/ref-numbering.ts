import { layout } from "../../kernel/index.ts";
import { type Head, pageOf } from "../head/head.ts";

/** A page of slots is opened for a ref only while pages are this full on average, or few: sparse refs are numbered afresh. */
const slotsPerSeriesMax = 8;
const sparsePagesMin = 16;
/** Higher refs are numbered afresh, so that every run has the upper half of the numbers for new series. */
export const keptRefMax = Math.floor(layout.seriesRefMax / 2);

/** Chooses the refs that the log's series get in the head: their own, as far as that does not waste memory. */
export class RefNumbering {
  /** Refs of the log whose series has another ref in the head; 0 where it has none. */
  readonly refs = new Map<number, number>();
  readonly #head: Head;
  /** Whether new refs of the head are beyond all in the log. */
  readonly #isBound: boolean;
  #pages = 0;
  readonly #pagesSeen = new Set<number>();

  constructor(head: Head, isBound: boolean) {
    this.#head = head;
    this.#isBound = isBound;
  }

  /** The ref that a new series gets which the log calls `logRef`. */
  choose(logRef: number): number {
    return this.keeps(logRef) ? logRef : this.#freshRef();
  }

  /** Notes that the series which the log calls `logRef` from here on is `ref` in the head. */
  note(logRef: number, ref: number): void {
    if (ref === logRef) this.refs.delete(logRef);
    else this.refs.set(logRef, ref);
  }

  /** The ref in the head for one of the log, 0 when there is no such series. */
  headRef(logRef: number): number {
    const ref = this.refs.get(logRef) ?? logRef;
    return ref >= 1 && ref <= layout.seriesRefMax && this.#head.hasSeries(ref) ? ref : 0;
  }

  /** Whether a new series may have the same ref as in the log: free, in range, and not alone on a page of slots. */
  keeps(ref: number): boolean {
    if (ref < 1 || ref > keptRefMax || !this.#head.kernel.series.isFree(ref)) return false;
    const page = pageOf(ref);
    if (this.#pagesSeen.has(page)) return true;
    const slots = (this.#pages + 1) * layout.slot.perPage;
    if (this.#pages >= sparsePagesMin && slots > slotsPerSeriesMax * this.#head.seriesCount) return false;
    this.#pagesSeen.add(page);
    this.#pages++;
    return true;
  }

  /** A ref of our own choice; without a bound on those in the log, the same number means another series there, or none. */
  #freshRef(): number {
    const ref = this.#head.freshRef();
    if (!this.#isBound && !this.refs.has(ref)) this.refs.set(ref, 0);
    this.#pagesSeen.add(pageOf(ref));
    this.#pages = this.#pagesSeen.size;
    return ref;
  }
}
