import { metricNameLabel } from "../../model/index.ts";
import type { Strings } from "./strings.ts";

/** Labels that say what a metric is and no longer hold once its value is computed with. */
export const reservedLabels: readonly string[] = [metricNameLabel, "__type__", "__unit__"];

/** A choice of label names: those of `by` and `on`, or all but those of `without` and `ignoring`. */
export class LabelFilter {
  readonly #names: ReadonlySet<number>;
  /** The names pass, or everything else does. */
  readonly keep: boolean;

  private constructor(names: ReadonlySet<number>, keep: boolean) {
    this.#names = names;
    this.keep = keep;
  }

  static only(strings: Strings, names: readonly string[]): LabelFilter {
    return new LabelFilter(new Set(names.map((name) => strings.number(name))), true);
  }

  static except(strings: Strings, names: readonly string[]): LabelFilter {
    return new LabelFilter(new Set(names.map((name) => strings.number(name))), false);
  }

  static exceptReserved(strings: Strings): LabelFilter {
    return LabelFilter.except(strings, reservedLabels);
  }

  /** Nothing passes: all series fall into one group. */
  get empty(): boolean {
    return this.keep && this.#names.size === 0;
  }

  passes(name: number): boolean {
    return this.#names.has(name) === this.keep;
  }

  /** What passes both. */
  and(other: LabelFilter): LabelFilter {
    if (!this.keep && !other.keep) return new LabelFilter(new Set([...this.#names, ...other.#names]), false);
    const [only, rest] = this.keep ? [this, other] : [other, this];
    return new LabelFilter(new Set([...only.#names].filter((name) => rest.passes(name))), true);
  }
}
