import { sampleStatus } from "../../kernel/index.ts";
import type { AppendResult } from "../../storage/index.ts";

/** Totals since the start; plain numbers, read when metrics are gathered. */
export class AppendCounters {
  appended = 0;
  outOfOrder = 0;
  duplicate = 0;
  outOfBounds = 0;
  tooFarInFuture = 0;
  memoryFull = 0;
  unknownSeries = 0;
  /** Of `appended`, those that came out of order. */
  late = 0;
  /** Refused as too old even to come out of order. */
  tooOld = 0;
}

/** By the kind of samples. */
export class AppendTotals {
  readonly float = new AppendCounters();
  readonly histogram = new AppendCounters();
}

/** Counts samples of one kind, of which `tally` has how many there are by status. */
export function addTally(tally: Uint32Array, counters: AppendCounters, result: AppendResult): void {
  for (const name of resultNames) {
    result[name] += tally[resultStatus[name]]!;
    counters[name] += tally[resultStatus[name]]!;
  }
  result.appended += tally[sampleStatus.late]!;
  counters.appended += tally[sampleStatus.late]!;
  counters.late += tally[sampleStatus.late]!;
  // A series that was removed meanwhile had its time truncated: who still holds its ref must ask for a new one.
  result.outOfBounds += tally[sampleStatus.unknownSeries]!;
  counters.unknownSeries += tally[sampleStatus.unknownSeries]!;
}

const resultStatus = {
  appended: sampleStatus.ok,
  outOfOrder: sampleStatus.outOfOrder,
  duplicate: sampleStatus.duplicate,
  outOfBounds: sampleStatus.outOfBounds,
  tooOld: sampleStatus.tooOld,
  tooFarInFuture: sampleStatus.tooFarInFuture,
  memoryFull: sampleStatus.memoryFull,
} satisfies Record<keyof AppendResult, number>;
const resultNames = Object.keys(resultStatus) as (keyof AppendResult)[];
