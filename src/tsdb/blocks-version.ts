import { type Clock, sleep } from "../base/index.ts";
import { type Kernel, layout } from "../kernel/index.ts";

const { control, headWord, reader } = layout;
const versionIndex = headWord.blocksVersion >>> 2;
const pollMs = 5;

/** Tells all threads that the set of blocks, or what is deleted of them, has changed. */
export function blocksChanged({ views }: Kernel): void {
  Atomics.add(views.u32, versionIndex, 1);
}

/** Grows with every change of the set of blocks. */
export function blocksVersion({ views }: Kernel): number {
  return Atomics.load(views.u32, versionIndex);
}

/**
 * Resolves when every query that began before the call has ended, on all threads. Between the moment that a block appears and the moment that its samples leave
 * the head this must pass: an earlier query may have looked at the blocks already and at the head not yet. Main thread only.
 */
export async function earlierQueriesEnded({ views }: Kernel, clock: Clock): Promise<void> {
  const { u32 } = views;
  const epoch = (Atomics.add(u32, control.globalEpoch >>> 2, 1) + 1) >>> 0;
  for (let slot = 0; slot < reader.slots; slot++) {
    const index = (control.readers + slot * reader.bytes + reader.epoch) >>> 2;
    for (
      let inside = Atomics.load(u32, index);
      inside !== 0 && inside < epoch;
      inside = Atomics.load(u32, index)
    )
      await sleep(clock, pollMs);
  }
}
