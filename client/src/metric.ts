import type { LabelPair, MetricFamily, MetricType, Sample } from "./family.ts";
import { checkLabelNames, checkMetricName, MetricError } from "./name.ts";

/** How many label sets one metric keeps unless told otherwise. Further ones are counted as dropped and not exposed. */
export const CHILDREN_MAX = 10_000;

export interface MetricOptions<L extends string = never> {
  readonly name: string;
  readonly help: string;
  /** The base unit; the name (without `_total`) must end in `_<unit>`. */
  readonly unit?: string;
  /** Every label set of the metric has exactly these labels. */
  readonly labelNames?: readonly L[];
  /** Bound on the number of label sets, against labels that come from outside; {@link CHILDREN_MAX} by default. */
  readonly childrenMax?: number;
}

/** One label set of a metric: the object to hold on to where speed matters. */
export abstract class Child {
  readonly labels: readonly LabelPair[];

  constructor(labels: readonly LabelPair[]) {
    this.labels = labels;
  }

  /** Adds this child's samples to `samples`; `name` is the metric's name. */
  abstract collect(name: string, samples: Sample[]): void;
}

/** What counter, gauge, histogram and summary share: a name, a help text, and one child per label set. */
export abstract class Metric<C extends Child, L extends string = never> {
  readonly name: string;
  readonly help: string;
  readonly unit: string;
  readonly labelNames: readonly L[];
  readonly childrenMax: number;
  abstract readonly type: MetricType;

  /** Label sets that were refused because `childrenMax` was reached. */
  childrenDropped = 0;

  readonly #children = new Map<string, C>();
  #ordered: C[] | undefined;
  #only: C | undefined;

  constructor(options: MetricOptions<L>, reservedLabel?: string) {
    checkMetricName(options.name);
    this.name = options.name;
    this.help = options.help;
    this.unit = options.unit ?? "";
    this.labelNames = [...(options.labelNames ?? [])];
    this.childrenMax = options.childrenMax ?? CHILDREN_MAX;
    checkLabelNames(this.name, this.labelNames, reservedLabel);
    if (this.unit !== "" && !this.name.replace(/_total$/, "").endsWith(`_${this.unit}`)) {
      throw new MetricError(`${this.name}: expected the name to end in its unit, _${this.unit}`);
    }
  }

  protected abstract createChild(labels: readonly LabelPair[]): C;

  /** The child with these label values, made at the first call. Keep it where it is used often. */
  labels(values: Readonly<Record<L, string>>): C {
    const key = this.#key(values);
    const existing = this.#children.get(key);
    if (existing !== undefined) return existing;
    const child = this.createChild(this.labelNames.map((name) => [name, values[name]] as const));
    if (this.#children.size >= this.childrenMax) {
      this.childrenDropped++;
      return child;
    }
    this.#children.set(key, child);
    this.#ordered = undefined;
    return child;
  }

  /** Forgets one label set; true when it was there. A child somebody still holds is no longer exposed. */
  remove(values: Readonly<Record<L, string>>): boolean {
    const removed = this.#children.delete(this.#key(values));
    if (removed) this.#ordered = undefined;
    return removed;
  }

  /** Forgets all label sets. */
  clear(): void {
    this.#children.clear();
    this.#ordered = undefined;
    this.#only = undefined;
    if (this.labelNames.length === 0) this.only();
  }

  /** The single child of a metric without labels; an error for one with labels. */
  protected only(): C {
    if (this.#only === undefined) {
      if (this.labelNames.length > 0) {
        throw new MetricError(
          `${this.name} has the labels ${this.labelNames.join(", ")}: use labels({…}) first`,
        );
      }
      this.#only = this.labels({} as Record<L, string>);
    }
    return this.#only;
  }

  collect(): MetricFamily {
    const samples: Sample[] = [];
    for (const child of this.#inOrder()) child.collect(this.name, samples);
    return { name: this.name, type: this.type, help: this.help, unit: this.unit, samples };
  }

  #inOrder(): readonly C[] {
    this.#ordered ??= [...this.#children.values()].sort(compareLabelValues);
    return this.#ordered;
  }

  #key(values: Readonly<Record<L, string>>): string {
    let key = "";
    for (const name of this.labelNames) {
      const value: unknown = values[name];
      if (typeof value !== "string")
        throw new MetricError(`${this.name}: expected a string for label ${name}`);
      // The length in front keeps ("a", "bc") and ("ab", "c") apart whatever characters the values hold.
      key += this.labelNames.length === 1 ? value : `${value.length}:${value}`;
    }
    return key;
  }
}

function compareLabelValues(a: Child, b: Child): number {
  for (let i = 0; i < a.labels.length; i++) {
    const left = a.labels[i]![1];
    const right = b.labels[i]![1];
    if (left !== right) return left < right ? -1 : 1;
  }
  return 0;
}
