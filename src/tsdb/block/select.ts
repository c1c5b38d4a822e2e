import type { Matcher } from "../../model/index.ts";
import { intersectAll, subtract, union } from "../head/refs.ts";
import type { IndexReader } from "./index-reader.ts";
import type { SeriesEntry } from "./series-entry.ts";

/**
 * A matcher is tested series by series instead of value by value when the label has at least this many times as many values as there are
 * candidates left: a series costs about as much as that many values.
 */
const valuesPerCandidate = 4;

/** Finds the refs of a block's series that match. Refs ascend in the order of labels. */
export class BlockSelector {
  readonly #index: IndexReader;
  readonly #readSeries: (ref: number) => SeriesEntry | undefined;

  /** `readSeries` gives a series, good until its next call; undefined when it cannot be read. */
  constructor(index: IndexReader, readSeries: (ref: number) => SeriesEntry | undefined) {
    this.#index = index;
    this.#readSeries = readSeries;
  }

  /** The series that satisfy every matcher. A missing label counts as the empty value. Throws BlockDamagedError. */
  select(matchers: readonly Matcher[]): Uint32Array {
    const direct: Uint32Array[] = [];
    const rest: { matcher: Matcher; values: number }[] = [];
    for (const matcher of matchers) {
      const values = matcher.matchesEmpty() ? undefined : matcher.acceptedValues();
      if (values !== undefined) direct.push(this.#postingsOf(matcher.name, values));
      else rest.push({ matcher, values: this.#index.postingsTable.valueCount(matcher.name) });
      if (direct.at(-1)?.length === 0) return direct.at(-1)!;
    }
    // What needs values to be looked at comes last, when few candidates may be left, and fewer values first.
    rest.sort((a, b) => a.values - b.values);
    let candidates = direct.length > 0 ? intersectAll(direct) : undefined;
    for (const { matcher, values } of rest) {
      if (candidates?.length === 0) break;
      if (candidates !== undefined && values >= candidates.length * valuesPerCandidate)
        candidates = this.#filter(candidates, matcher);
      else if (matcher.matchesEmpty())
        candidates = subtract(candidates ?? this.#index.allPostings(), this.#valuesWhere(matcher, false));
      else {
        const matching = this.#valuesWhere(matcher, true);
        candidates = candidates === undefined ? matching : intersectAll([candidates, matching]);
      }
    }
    return candidates ?? this.#index.allPostings();
  }

  /** The series of the rarest label value that some matcher demands; all series when none does. Reads no list. */
  countMax(matchers: readonly Matcher[]): number {
    let count = this.#listLength("", "");
    for (const matcher of matchers) {
      const values = matcher.matchesEmpty() ? undefined : matcher.acceptedValues();
      if (values === undefined) continue;
      const sum = values.reduce((total, value) => total + this.#listLength(matcher.name, value), 0);
      count = Math.min(count, sum);
    }
    return count;
  }

  #listLength(name: string, value: string): number {
    const offset = this.#index.postingsTable.find(name, value);
    return offset === undefined ? 0 : this.#index.postingsCount(offset);
  }

  #postingsOf(name: string, values: readonly string[]): Uint32Array {
    return union(values.map((value) => this.#index.postings(name, value)));
  }

  /** The series that have the label with a value that the matcher accepts, or refuses when `accepted` is false. */
  #valuesWhere(matcher: Matcher, accepted: boolean): Uint32Array {
    const refused = accepted ? undefined : matcher.refusedValues();
    if (refused !== undefined) return this.#postingsOf(matcher.name, refused);
    const offsets: number[] = [];
    this.#index.postingsTable.forEachValue(matcher.name, (entry) => {
      if (matcher.matches(entry.value()) === accepted) offsets.push(entry.offset);
    });
    return union(offsets.map((offset) => this.#index.postingsAt(offset)));
  }

  #filter(candidates: Uint32Array, matcher: Matcher): Uint32Array {
    const { symbols } = this.#index;
    const verdicts = new Map<number, boolean>();
    const name = symbols.find(matcher.name) ?? -1;
    return candidates.filter((ref) => {
      const entry = this.#readSeries(ref);
      if (entry === undefined) return false;
      const value = labelValue(entry, name);
      let verdict = verdicts.get(value);
      if (verdict === undefined) {
        verdict = matcher.matches(value === -1 ? "" : symbols.text(value));
        verdicts.set(value, verdict);
      }
      return verdict;
    });
  }
}

/** The value symbol of a label, or -1 when the series does not have it. */
export function labelValue({ symbols, labelCount }: SeriesEntry, name: number): number {
  for (let at = 0; at < 2 * labelCount; at += 2) if (symbols[at] === name) return symbols[at + 1]!;
  return -1;
}
