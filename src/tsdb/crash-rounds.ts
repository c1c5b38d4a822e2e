import { baseTimeMs } from "./test-support.ts";

/** What the crash test's processes append in a round: many known series and a new one. */
export function crashLabels(round: number): Record<string, string>[] {
  const known = Array.from({ length: 200 }, (_, i) => ({ __name__: "known", id: `${i}` }));
  return [...known, { __name__: "new", round: `${round}` }];
}

export function crashTimestampMs(round: number): number {
  return baseTimeMs + round * 1000;
}
