import {
  type ByteBuffer,
  type Kernel,
  SampleBatch,
  type SampleReading,
  sharedPtr,
} from "../../kernel/index.ts";
import type { Loan, Loans } from "./loans.ts";
import type { ReadAheadMessage, SampleOrder } from "./read-ahead-messages.ts";
import { orderTable, windowSamples } from "./window-size.ts";

/** Refs of the log that have an alias may spread over so many numbers. */
export const aliasSpanMax = 4 * 1024 * 1024;
/** One is filled, one ordered, and one is the main thread's. */
const batchesMax = 3;

interface LentBatch extends Loan {
  readonly batch: SampleBatch;
}

/** Gathers the samples of many records, and sends them in the order of their series. Who made it must `close` it. */
export class SampleGatherer {
  readonly #kernel: Kernel;
  readonly #loans: Loans;
  readonly #send: (message: ReadAheadMessage) => void;
  readonly #reading: SampleReading;
  readonly #aliases: ByteBuffer;
  readonly #batches: readonly LentBatch[];
  #filling: LentBatch;
  /** Records taken since the last were sent. */
  #records = 0;

  /** The series of the log must be in the head. */
  constructor(kernel: Kernel, loans: Loans, order: SampleOrder, send: (message: ReadAheadMessage) => void) {
    this.#kernel = kernel;
    this.#loans = loans;
    this.#aliases = kernel.createByteBuffer(4 * aliasSpanMax);
    this.#reading = { ...order, aliases: this.#fillAliases(order.aliases) };
    this.#send = send;
    const capacity = windowSamples(kernel, batchesMax);
    this.#batches = Array.from({ length: batchesMax }, () => ({
      batch: kernel.createSampleBatch(capacity),
      lastLoan: 0,
    }));
    this.#filling = this.#batches[0]!;
  }

  /** Lays out a table of aliases for the kernel. */
  #fillAliases(aliases: ReadonlyMap<number, number>): NonNullable<SampleReading["aliases"]> {
    const [first, count] = spanOf(aliases);
    const ptr = this.#aliases.reserve(4 * count);
    const table = this.#kernel.views.u32.subarray(ptr >>> 2, (ptr >>> 2) + count).fill(0);
    for (const [logRef, ref] of aliases) table[logRef - first] = ref;
    return { ptr, first, count };
  }

  /** Takes the samples of a samples record in the shared memory; false when that cannot be done here, because of damage, large refs or its size. Throws StoppedError. */
  add(record: Uint8Array): boolean {
    const samplesBound = SampleBatch.recordSamplesMax(record.length);
    if (samplesBound > this.#filling.batch.capacity) return false;
    if (this.#filling.batch.count + samplesBound > this.#filling.batch.capacity) this.flush();
    const taken = this.#filling.batch.addRecord(
      sharedPtr(this.#kernel, record),
      record.length,
      this.#reading,
    );
    if (taken < 0) return false;
    this.#records++;
    return true;
  }

  /** Sends what was gathered. */
  flush(): void {
    const gathered = this.#filling;
    const { batch } = gathered;
    const other = this.#loans.take(this.#batches.filter((each) => each !== gathered));
    other.batch.clear();
    const isOrdered = orderTable(this.#kernel, batch, (positions) =>
      batch.orderBySeries(other.batch, positions),
    );
    if (isOrdered) batch.clear();
    else this.#filling = other;
    const sent = isOrdered ? other : gathered;
    this.#loans.lend(sent);
    const { columns, count } = sent.batch;
    this.#send({ type: "samples", columns, count, records: this.#records });
    this.#records = 0;
  }

  close(): void {
    this.#aliases.close();
    for (const { batch } of this.#batches) batch.close();
  }
}

/** The lowest of the refs that have an alias, and over how many numbers they spread. */
export function spanOf(aliases: ReadonlyMap<number, number>): [first: number, count: number] {
  let [first, last] = [Infinity, -Infinity];
  for (const logRef of aliases.keys()) {
    first = Math.min(first, logRef);
    last = Math.max(last, logRef);
  }
  return aliases.size === 0 ? [0, 0] : [first, last - first + 1];
}
