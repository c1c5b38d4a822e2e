import type { Kernel, SampleBatch } from "../../kernel/index.ts";

/** Idle batches kept for reuse. */
const idleMax = 8;

/** Sample batches of one capacity, lent to appenders. */
export class BatchPool {
  readonly #kernel: Kernel;
  readonly #capacity: number;
  readonly #idle: SampleBatch[] = [];
  /** Batches that appenders hold. */
  lent = 0;

  constructor(kernel: Kernel, capacity: number) {
    this.#kernel = kernel;
    this.#capacity = capacity;
  }

  /** An empty batch. Throws MemoryFullError. */
  take(): SampleBatch {
    const batch = this.#idle.pop() ?? this.#kernel.createSampleBatch(this.#capacity);
    this.lent++;
    return batch;
  }

  give(batch: SampleBatch): void {
    batch.clear();
    this.lent--;
    if (this.#idle.length < idleMax) this.#idle.push(batch);
    else batch.close();
  }

  close(): void {
    for (const batch of this.#idle.splice(0)) batch.close();
  }
}
