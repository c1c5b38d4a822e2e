import type { Labels, Matcher } from "../../model/index.ts";
import type {
  Exemplar,
  ExemplarFate,
  ExemplarQueryable,
  ExemplarSeries,
  SeriesRef,
} from "../../storage/index.ts";

/** OpenMetrics' bound on the characters in the names and values of an exemplar's labels. */
const labelCharactersMax = 128;

/** One exemplar in its place among those of its series. */
interface Entry {
  readonly exemplar: Exemplar;
  readonly series: Series;
  older: Entry | undefined;
  newer: Entry | undefined;
}

/** A series with exemplars. */
interface Series {
  readonly labels: Labels;
  /** Its number in the head, the newest one if it was removed there and came again. */
  ref: SeriesRef;
  oldest: Entry;
  newest: Entry;
}

/**
 * The newest exemplars of all series, at most `capacity`, in the main thread's heap: a ring in the order in which they came, and through it
 * the list of each series by time. At the usual hundred bytes of labels an exemplar takes about half a kilobyte.
 */
export class ExemplarStorage implements ExemplarQueryable {
  readonly #labelsOf: (ref: SeriesRef) => Labels;
  readonly #byLabels = new Map<string, Series>();
  readonly #byRef = new Map<SeriesRef, Series>();
  #ring: (Entry | undefined)[] = [];
  /** Where the next exemplar goes: the oldest one's place, once the ring is full. */
  #next = 0;
  #count = 0;
  /** How much older than its series' newest an exemplar may be, in milliseconds. */
  outOfOrderWindowMs = 0;
  appended = 0;
  /** Refused by `add` alone: a target repeats those that `judge` refuses from scrape to scrape. */
  outOfOrder = 0;

  /** `labelsOf` says which series a ref of the head names. */
  constructor(labelsOf: (ref: SeriesRef) => Labels) {
    this.#labelsOf = labelsOf;
  }

  /** How many exemplars are kept; 0 keeps none. */
  get capacity(): number {
    return this.#ring.length;
  }

  get count(): number {
    return this.#count;
  }

  get seriesCount(): number {
    return this.#byLabels.size;
  }

  /** Time of the exemplar that was here first, in milliseconds; 0 when there is none. */
  get firstTimestampMs(): number {
    for (const { exemplar } of this.#entries()) return exemplar.timestampMs;
    return 0;
  }

  /** Keeps what came last, as far as it fits. Returns how many exemplars that were. */
  resize(capacity: number): number {
    const size = Math.max(0, capacity);
    if (size === this.#ring.length) return this.#count;
    const entries = [...this.#entries()];
    const kept = size === 0 ? [] : entries.slice(-size);
    for (const entry of entries.slice(0, entries.length - kept.length)) this.#unlink(entry);
    this.#ring = Array.from({ length: size }, (_, i) => kept[i]);
    this.#count = kept.length;
    this.#next = size === 0 ? 0 : kept.length % size;
    return kept.length;
  }

  /** Whether `add` would take the exemplar. */
  judge(ref: SeriesRef, exemplar: Exemplar): ExemplarFate {
    if (this.#ring.length === 0) return "disabled";
    if (charactersOf(exemplar.labels) > labelCharactersMax) return "labelsTooLong";
    const newest = this.#find(ref)?.newest.exemplar;
    const isTimed = exemplar.hasOwnTimestamp || newest?.hasOwnTimestamp === true;
    return this.#compare(newest, exemplar, isTimed);
  }

  /** Stores the exemplar, unless it must not be. The series must exist. */
  add(ref: SeriesRef, exemplar: Exemplar): ExemplarFate {
    const fate = this.judge(ref, exemplar);
    if (fate === "outOfOrder") this.outOfOrder++;
    return fate === "queued" ? this.#insert(ref, exemplar) : fate;
  }

  /** Stores an exemplar that was stored before: the log does not say whose its time is, but that it is another one than those before. */
  restore(ref: SeriesRef, exemplar: Exemplar): void {
    if (this.#ring.length === 0) return;
    const fate = this.#compare(this.#find(ref)?.newest.exemplar, exemplar, true);
    if (fate === "queued") this.#insert(ref, exemplar);
  }

  #insert(ref: SeriesRef, exemplar: Exemplar): ExemplarFate {
    const before = this.#find(ref);
    const older = before && olderThan(before, exemplar);
    // Within the window only one of a time is kept: more cannot be told from repetitions without comparing all.
    if (before && older !== before.newest && older?.exemplar.timestampMs === exemplar.timestampMs)
      return "duplicate";
    this.#append(ref, exemplar);
    return "queued";
  }

  selectExemplars(
    minTimestampMs: number,
    maxTimestampMs: number,
    matcherSets: readonly (readonly Matcher[])[],
  ): ExemplarSeries[] {
    const found: ExemplarSeries[] = [];
    for (const series of this.#byLabels.values()) {
      const { labels, oldest, newest } = series;
      if (oldest.exemplar.timestampMs > maxTimestampMs || newest.exemplar.timestampMs < minTimestampMs)
        continue;
      if (
        !matcherSets.some((matchers) =>
          matchers.every((matcher) => matcher.matches(labels.get(matcher.name))),
        )
      )
        continue;
      const exemplars = inOrder(series).filter(
        ({ timestampMs }) => timestampMs >= minTimestampMs && timestampMs <= maxTimestampMs,
      );
      if (exemplars.length > 0) found.push({ labels, exemplars });
    }
    return found.sort((a, b) => a.labels.compare(b.labels));
  }

  /** All exemplars in the order in which they came, with the refs of their series, which the head may have removed. */
  *[Symbol.iterator](): Generator<[ref: SeriesRef, exemplar: Exemplar]> {
    for (const { series, exemplar } of this.#entries()) yield [series.ref, exemplar];
  }

  *#entries(): Generator<Entry> {
    for (let i = 0; i < this.#ring.length; i++) {
      const entry = this.#ring[(this.#next + i) % this.#ring.length];
      if (entry) yield entry;
    }
  }

  #find(ref: SeriesRef): Series | undefined {
    const known = this.#byRef.get(ref);
    if (known !== undefined || this.#byLabels.size === 0) return known;
    const series = this.#byLabels.get(this.#labelsOf(ref).key());
    if (series) {
      this.#byRef.delete(series.ref);
      series.ref = ref;
      this.#byRef.set(ref, series);
    }
    return series;
  }

  /** By the series' newest exemplar; of the same time, those that are greater by value and labels may follow. */
  #compare(newest: Exemplar | undefined, exemplar: Exemplar, isTimed: boolean): ExemplarFate {
    if (newest === undefined) return "queued";
    const isSameTime = newest.timestampMs === exemplar.timestampMs;
    const order = newest.value - exemplar.value || newest.labels.compare(exemplar.labels);
    if (order === 0 && (isSameTime || !isTimed)) return "duplicate";
    if (isSameTime) return order > 0 ? "outOfOrder" : "queued";
    const behindMs = newest.timestampMs - exemplar.timestampMs;
    return behindMs > 0 && behindMs >= this.outOfOrderWindowMs ? "outOfOrder" : "queued";
  }

  #append(ref: SeriesRef, exemplar: Exemplar): void {
    const evicted = this.#ring[this.#next];
    if (evicted) this.#unlink(evicted);
    else this.#count++;
    const series = this.#find(ref);
    this.#ring[this.#next] = series ? link(series, exemplar) : this.#create(ref, exemplar);
    this.#next = (this.#next + 1) % this.#ring.length;
    this.appended++;
  }

  #create(ref: SeriesRef, exemplar: Exemplar): Entry {
    const labels = this.#labelsOf(ref);
    const series = { labels, ref } as Series;
    const entry: Entry = { exemplar, series, older: undefined, newer: undefined };
    series.oldest = series.newest = entry;
    this.#byLabels.set(labels.key(), series);
    this.#byRef.set(ref, series);
    return entry;
  }

  /** Takes an exemplar out of its series, and the series with its last one. */
  #unlink({ series, older, newer }: Entry): void {
    if (older) older.newer = newer;
    if (newer) newer.older = older;
    if (older && !newer) series.newest = older;
    else if (newer && !older) series.oldest = newer;
    else if (!older && !newer) {
      this.#byLabels.delete(series.labels.key());
      this.#byRef.delete(series.ref);
    }
  }
}

/** The newest exemplar of the series that is not newer than this one; undefined when all are. */
function olderThan(series: Series, { timestampMs }: Exemplar): Entry | undefined {
  let entry: Entry | undefined = series.newest;
  while (entry && entry.exemplar.timestampMs > timestampMs) entry = entry.older;
  return entry;
}

/** Puts an exemplar into its place by time. */
function link(series: Series, exemplar: Exemplar): Entry {
  const older = olderThan(series, exemplar);
  const newer = older ? older.newer : series.oldest;
  const entry: Entry = { exemplar, series, older, newer };
  if (older) older.newer = entry;
  else series.oldest = entry;
  if (newer) newer.older = entry;
  else series.newest = entry;
  return entry;
}

function inOrder({ oldest }: Series): Exemplar[] {
  const exemplars: Exemplar[] = [];
  for (let entry: Entry | undefined = oldest; entry; entry = entry.newer) exemplars.push(entry.exemplar);
  return exemplars;
}

/** Code points, as upstream counts. */
function charactersOf(labels: Labels): number {
  let count = 0;
  for (const text of labels.pairs) for (const _ of text) count++;
  return count;
}
