import { changes, isOrdered, isStopped, loansReturned } from "./read-ahead-messages.ts";

/** What is lent to the main thread; to be used anew when that has given back the loan of this number. */
export interface Loan {
  lastLoan: number;
}

/** Thrown where the thread that reads ahead shall end. */
export class StoppedError extends Error {}

/** What the thread that reads ahead lends to the main thread, which gives it back in the order in which it got it. */
export class Loans {
  readonly #words: Int32Array<SharedArrayBuffer>;
  #count = 0;

  constructor(words: Int32Array<SharedArrayBuffer>) {
    this.#words = words;
  }

  /** Waits for one of these that the main thread does not have. Throws StoppedError. */
  take<T extends Loan>(items: readonly T[]): T {
    let free: T | undefined;
    this.#wait((returned) => {
      free = items.find(({ lastLoan }) => lastLoan <= returned);
      return free !== undefined;
    });
    return free!;
  }

  /** To be called before it is sent. */
  lend(item: Loan): void {
    item.lastLoan = ++this.#count;
  }

  /** Waits until the main thread is done with all that it was lent. Throws StoppedError. */
  settle(): void {
    this.#wait((returned) => returned === this.#count);
  }

  /** Waits until the main thread has sent its order. Throws StoppedError. */
  waitForOrder(): void {
    this.#wait(() => Atomics.load(this.#words, isOrdered) === 1);
  }

  #wait(isOver: (returned: number) => boolean): void {
    for (;;) {
      // Before the look at the others, so that no change of them is missed.
      const change = Atomics.load(this.#words, changes);
      if (Atomics.load(this.#words, isStopped) === 1) throw new StoppedError();
      if (isOver(Atomics.load(this.#words, loansReturned))) return;
      Atomics.wait(this.#words, changes, change);
    }
  }
}
