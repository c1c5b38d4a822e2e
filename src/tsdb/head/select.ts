import type { Kernel } from "../../kernel/index.ts";
import type { Matcher } from "../../model/index.ts";
import type { LabelIndexReader } from "./label-index.ts";
import { intersectAll, subtract, union } from "./refs.ts";
import type { SymbolReader } from "./symbols.ts";

/**
 * A matcher is tested series by series instead of value by value when the label has at least this many times as many
 * values as there are candidates left.
 */
const valuesPerCandidate = 1;

/** Finds the refs of the series that match; for one thread, within an epoch. */
export class SeriesSelector {
  readonly #kernel: Kernel;
  readonly #index: LabelIndexReader;
  readonly #symbols: SymbolReader;

  constructor(kernel: Kernel, index: LabelIndexReader, symbols: SymbolReader) {
    this.#kernel = kernel;
    this.#index = index;
    this.#symbols = symbols;
  }

  /** Refs, ascending, of the series that satisfy every matcher. A missing label counts as the empty value. */
  select(matchers: readonly Matcher[]): Uint32Array {
    const direct: Uint32Array[] = [];
    const rest: Matcher[] = [];
    for (const matcher of matchers) {
      const values = matcher.matchesEmpty() ? undefined : matcher.acceptedValues();
      if (values === undefined) rest.push(matcher);
      else direct.push(this.#postingsOf(matcher.name, values));
    }
    const candidates = direct.length > 0 ? intersectAll(direct) : undefined;
    return rest.length === 0 && candidates !== undefined ? candidates : this.#narrow(candidates, rest);
  }

  /** What needs values to be looked at comes last, when few candidates may be left, and fewer values first. */
  #narrow(found: Uint32Array | undefined, rest: readonly Matcher[]): Uint32Array {
    let candidates = found;
    const byCost = rest
      .map((matcher) => ({ matcher, name: this.#symbols.find(matcher.name) }))
      .map((entry) => ({ ...entry, values: entry.name === 0 ? 0 : this.#index.valueCount(entry.name) }))
      .sort((a, b) => a.values - b.values);
    for (const { matcher, name, values } of byCost) {
      if (candidates?.length === 0) break;
      if (candidates !== undefined && values >= candidates.length * valuesPerCandidate)
        candidates = this.#filter(candidates, matcher, name);
      else if (matcher.matchesEmpty())
        candidates = subtract(candidates ?? this.#index.all(), this.#valuesWhere(matcher, name, false));
      else {
        const matching = this.#valuesWhere(matcher, name, true);
        candidates = candidates === undefined ? matching : intersectAll([candidates, matching]);
      }
    }
    return candidates ?? this.#index.all();
  }

  /** The series of the rarest label value that some matcher demands; all series when none does. */
  countMax(matchers: readonly Matcher[]): number {
    let count = this.#index.seriesCount;
    for (const matcher of matchers) {
      const values = matcher.matchesEmpty() ? undefined : matcher.acceptedValues();
      if (values === undefined) continue;
      const lists = values.map((value) => this.#postingsOf(matcher.name, [value]).length);
      count = Math.min(
        count,
        lists.reduce((sum, length) => sum + length, 0),
      );
    }
    return count;
  }

  #postingsOf(label: string, values: readonly string[]): Uint32Array {
    const name = this.#symbols.find(label);
    if (name === 0) return new Uint32Array(0);
    if (values.length === 1) return this.#index.postings(name, this.#symbols.find(values[0]!));
    const lists: Uint32Array[] = [];
    for (const text of values) {
      const value = this.#symbols.find(text);
      if (value !== 0) lists.push(this.#index.postings(name, value));
    }
    return union(lists);
  }

  /** The series that have the label with a value that the matcher accepts, or refuses when `accepted` is false. */
  #valuesWhere(matcher: Matcher, name: number, accepted: boolean): Uint32Array {
    if (name === 0) return new Uint32Array(0);
    const refused = accepted ? undefined : matcher.refusedValues();
    if (refused !== undefined) return this.#postingsOf(matcher.name, refused);
    const lists: Uint32Array[] = [];
    this.#index.forEachValue(name, (value, _count, refs) => {
      if (matcher.matches(this.#symbols.text(value)) === accepted) lists.push(refs());
    });
    return union(lists);
  }

  #filter(candidates: Uint32Array, matcher: Matcher, name: number): Uint32Array {
    const { u32 } = this.#kernel.views;
    const { series } = this.#kernel;
    const verdicts = new Map<number, boolean>();
    return candidates.filter((ref) => {
      const value = labelValue(u32, series.labelsPtr(ref), name);
      let verdict = verdicts.get(value);
      if (verdict === undefined) {
        verdict = matcher.matches(value === 0 ? "" : this.#symbols.text(value));
        verdicts.set(value, verdict);
      }
      return verdict;
    });
  }
}

/** The value symbol of a label, or 0 when the series has no such label or is gone. */
export function labelValue(u32: Uint32Array, labelsPtr: number, name: number): number {
  if (labelsPtr === 0 || name === 0) return 0;
  const labels = labelsPtr >>> 2;
  const end = labels + 2 + 2 * u32[labels + 1]!;
  for (let at = labels + 2; at < end; at += 2) if (u32[at] === name) return u32[at + 1]!;
  return 0;
}
