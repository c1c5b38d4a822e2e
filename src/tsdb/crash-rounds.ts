import { baseTimeMs } from "./test-support.ts";

export const crashRoundMs = 4000;
/** Short, so that blocks are cut and compacted all the time. */
export const crashChunkRangeMs = 30 * crashRoundMs;
export const crashSeries = 60;

/** What the crash test's processes append in a round: many known series and a new one. */
export function crashLabels(round: number): Record<string, string>[] {
  const known = Array.from({ length: crashSeries }, (_, i) => ({ __name__: "known", id: `${i}` }));
  return [...known, { __name__: "new", round: `${round}` }];
}

export function crashTimestampMs(round: number): number {
  return baseTimeMs + round * crashRoundMs;
}

/** How late samples may be. */
export const crashWindowMs = 60 * crashRoundMs;

/** When the sample of a round is that comes late, of one of a few series: some rounds ago, and at no time of another. */
export function crashLateTimestampMs(round: number): number {
  return crashTimestampMs(round - 7 - ((round * 37) % 20)) - 1000 - (round % 997);
}

export function crashLateLabels(round: number): Record<string, string> {
  return { __name__: "late", id: `${round % 3}` };
}

/** Samples of one of the known series, in rounds from … to. */
export interface CrashDeletion {
  readonly id: number;
  readonly from: number;
  readonly to: number;
}

/** A line of what a process reports: that it may append, that a round is acknowledged, that a deletion begins or is acknowledged. */
export function encodeDeletion(state: "deleting" | "deleted", { id, from, to }: CrashDeletion): string {
  return `${state} ${id} ${from} ${to}\n`;
}

export interface CrashReport {
  readonly rounds: readonly number[];
  readonly begun: readonly CrashDeletion[];
  readonly deleted: readonly CrashDeletion[];
}

/** A line is whole when its newline is there. */
export function parseCrashReport(output: string): CrashReport {
  const rounds: number[] = [];
  const deletions = { deleting: [] as CrashDeletion[], deleted: [] as CrashDeletion[] };
  for (const line of output.slice(0, output.lastIndexOf("\n") + 1).split("\n")) {
    const [word, ...numbers] = line.split(" ");
    if (word === "deleting" || word === "deleted") {
      const [id, from, to] = numbers.map(Number);
      deletions[word].push({ id: id!, from: from!, to: to! });
    } else if (/^\d+$/.test(word!)) rounds.push(Number(word));
  }
  return { rounds, begun: deletions.deleting, deleted: deletions.deleted };
}
