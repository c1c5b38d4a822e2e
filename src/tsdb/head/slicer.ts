/** The event loop gets its turn after so much work. */
const sliceMs = 10;

/** Lets the event loop turn when a slice of work is over; nothing to wait for until then, since a wait for each of millions costs more than their work. */
export type Breathe = () => Promise<void> | undefined;

/** For work in slices on the main thread: to be called after every little step, of which the clock is looked at after `stepsPerLook`. */
export function slicer(stepsPerLook = 64): Breathe {
  let startMs = performance.now();
  let calls = 0;
  const turn = async (): Promise<void> => {
    await new Promise((resolve) => setImmediate(resolve));
    startMs = performance.now();
  };
  return () => {
    // Not each time: most calls follow a microsecond of work.
    if (++calls % stepsPerLook !== 0 || performance.now() - startMs < sliceMs) return undefined;
    return turn();
  };
}
