import { quoteGo } from "./quote.ts";
import { isLegacyLabelName } from "./names.ts";

export const metricNameLabel = "__name__";

/**
 * Go orders strings by their UTF-8 bytes. JavaScript's `<` compares UTF-16 units, which differs only where one side has
 * a surrogate pair and the other a unit above it, so those alone are compared by code point.
 */
export function compareStrings(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x === y) continue;
    if (x >= 0xd800 && y >= 0xd800) return (surrogateLast(x) - surrogateLast(y)) | 0;
    return x - y;
  }
  return a.length - b.length;
}

/** Lifts surrogates (code points beyond U+FFFF) above the rest of the basic plane. */
function surrogateLast(unit: number): number {
  return unit <= 0xdfff ? unit + 0x10000 : unit;
}

/** An immutable label set: sorted by name, each name once, no empty values. */
export class Labels implements Iterable<readonly [name: string, value: string]> {
  static readonly empty = new Labels([]);

  /** name, value, name, value …; shared freely because nobody writes to it. */
  readonly pairs: readonly string[];

  private constructor(pairs: readonly string[]) {
    this.pairs = pairs;
  }

  /** Takes pairs that already are sorted, unique and non-empty, and takes ownership of the array. */
  static fromSortedPairs(pairs: readonly string[]): Labels {
    return pairs.length === 0 && Labels.empty ? Labels.empty : new Labels(pairs);
  }

  static from(source: Readonly<Record<string, string>> | Iterable<readonly [string, string]>): Labels {
    const entries = Symbol.iterator in source ? source : Object.entries(source);
    const builder = new LabelsBuilder();
    for (const [name, value] of entries as Iterable<readonly [string, string]>) builder.set(name, value);
    return builder.labels();
  }

  get size(): number {
    return this.pairs.length / 2;
  }

  /** The value of `name`, or "" when the label is absent: PromQL makes no difference between the two. */
  get(name: string): string {
    for (let i = 0; i < this.pairs.length; i += 2) if (this.pairs[i] === name) return this.pairs[i + 1]!;
    return "";
  }

  has(name: string): boolean {
    return this.get(name) !== "";
  }

  *[Symbol.iterator](): Iterator<readonly [string, string]> {
    for (let i = 0; i < this.pairs.length; i += 2) yield [this.pairs[i]!, this.pairs[i + 1]!];
  }

  equals(other: Labels): boolean {
    return this.pairs.length === other.pairs.length && this.pairs.every((part, i) => part === other.pairs[i]);
  }

  /** Orders label sets as upstream does: pair by pair, then the shorter first. */
  compare(other: Labels): number {
    const length = Math.min(this.pairs.length, other.pairs.length);
    for (let i = 0; i < length; i++) {
      const order = compareStrings(this.pairs[i]!, other.pairs[i]!);
      if (order !== 0) return order;
    }
    return this.pairs.length - other.pairs.length;
  }

  /** A string that two label sets share only when they are equal; for use as a Map key. */
  key(): string {
    return this.pairs.join("\xff");
  }

  without(...names: string[]): Labels {
    return this.#filter((name) => !names.includes(name));
  }

  only(...names: string[]): Labels {
    return this.#filter((name) => names.includes(name));
  }

  withoutMetricName(): Labels {
    return this.without(metricNameLabel);
  }

  #filter(keep: (name: string) => boolean): Labels {
    const pairs: string[] = [];
    for (const [name, value] of this) if (keep(name)) pairs.push(name, value);
    return pairs.length === this.pairs.length ? this : Labels.fromSortedPairs(pairs);
  }

  toObject(): Record<string, string> {
    // Object.create(null) so that a label called __proto__ is a label.
    const object = Object.create(null) as Record<string, string>;
    for (const [name, value] of this) object[name] = value;
    return object;
  }

  toJSON(): Record<string, string> {
    return this.toObject();
  }

  /** `{a="b", c="d"}`, as upstream prints label sets in errors. */
  toString(): string {
    return `{${[...this].map(([name, value]) => `${quoteLabelName(name)}=${quoteGo(value)}`).join(", ")}}`;
  }

  /** `name{a="b"}`, as upstream prints a series in PromQL errors and tests. */
  toMetricString(): string {
    const name = this.get(metricNameLabel);
    if (name === "") return this.toString();
    if (!isLegacyLabelName(name.replaceAll(":", "_"))) {
      const rest = this.withoutMetricName().toString().slice(1, -1);
      return `{${quoteGo(name)}${rest && `, ${rest}`}}`;
    }
    return this.size === 1 ? name : name + this.withoutMetricName().toString();
  }
}

function quoteLabelName(name: string): string {
  return isLegacyLabelName(name) ? name : quoteGo(name);
}

/** Collects labels in any order; an empty value removes the label. */
export class LabelsBuilder {
  readonly #values: Map<string, string>;

  constructor(base: Labels = Labels.empty) {
    this.#values = new Map(base);
  }

  get(name: string): string {
    return this.#values.get(name) ?? "";
  }

  set(name: string, value: string): this {
    if (value === "") this.#values.delete(name);
    else this.#values.set(name, value);
    return this;
  }

  delete(name: string): this {
    this.#values.delete(name);
    return this;
  }

  names(): string[] {
    return [...this.#values.keys()];
  }

  labels(): Labels {
    const names = this.names().sort(compareStrings);
    return Labels.fromSortedPairs(names.flatMap((name) => [name, this.#values.get(name)!]));
  }
}
