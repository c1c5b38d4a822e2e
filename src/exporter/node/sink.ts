import type { LabelPair, MetricFamily, MetricType, Sample } from "@narthex/client";

/** One family being filled. */
export class FamilyDraft implements MetricFamily {
  readonly name: string;
  readonly type: MetricType;
  readonly help: string;
  readonly unit = "";
  readonly samples: Sample[] = [];

  constructor(name: string, type: MetricType, help: string) {
    this.name = name;
    this.type = type;
    this.help = help;
  }

  add(value: number, labels: readonly LabelPair[] = []): void {
    this.samples.push({ name: this.name, labels, value });
  }
}

/** Takes the metrics of one scrape. Asking for a family again gives the same one, so that its samples stay together. */
export class MetricSink {
  readonly #families = new Map<string, MetricFamily>();

  counter(name: string, help: string): FamilyDraft {
    return this.#family(name, "counter", help);
  }

  gauge(name: string, help: string): FamilyDraft {
    return this.#family(name, "gauge", help);
  }

  untyped(name: string, help: string): FamilyDraft {
    return this.#family(name, "unknown", help);
  }

  /** Adds a finished family; false, and nothing is added, when its name is taken. */
  addFamily(family: MetricFamily): boolean {
    if (this.#families.has(family.name)) return false;
    this.#families.set(family.name, family);
    return true;
  }

  /** Sorted by name. */
  families(): MetricFamily[] {
    return [...this.#families.values()].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  }

  #family(name: string, type: MetricType, help: string): FamilyDraft {
    const existing = this.#families.get(name);
    if (existing instanceof FamilyDraft) return existing;
    const draft = new FamilyDraft(name, type, help);
    this.#families.set(name, draft);
    return draft;
  }
}
