/** Remembers which silences match which label sets, so that a silence's patterns are tried once for each alert and not at each flush. */
import type { Labels } from "../../model/index.ts";
import { type Silence, silenceMatches } from "./silence.ts";

/** Label sets remembered; beyond this all are forgotten and found anew. */
const labelSetsMax = 200_000;

interface Entry {
  /** How much of the journal has been tried. */
  tried: number;
  readonly ids: Set<string>;
}

export class MuteCache {
  readonly #silences: ReadonlyMap<string, Silence>;
  /** Ids in the order in which silences came or changed. */
  #journal: string[] = [];
  readonly #byLabels = new Map<string, Entry>();

  /** Reads `silences` live; every change to one must be told. */
  constructor(silences: ReadonlyMap<string, Silence>) {
    this.#silences = silences;
  }

  changed(id: string): void {
    this.#journal.push(id);
  }

  /** Starts over, with what is there now. */
  reset(): void {
    this.#byLabels.clear();
    this.#journal = [...this.#silences.keys()];
  }

  /** Ids of the silences, of whatever state, whose matchers match the labels. */
  matching(labels: Labels): ReadonlySet<string> {
    const key = labels.key();
    let entry = this.#byLabels.get(key);
    if (entry === undefined) {
      if (this.#byLabels.size >= labelSetsMax) this.reset();
      entry = { tried: 0, ids: new Set() };
      this.#byLabels.set(key, entry);
    }
    for (; entry.tried < this.#journal.length; entry.tried++) {
      const id = this.#journal[entry.tried]!;
      const silence = this.#silences.get(id);
      if (silence !== undefined && silenceMatches(silence, labels)) entry.ids.add(id);
      else entry.ids.delete(id);
    }
    return entry.ids;
  }
}
