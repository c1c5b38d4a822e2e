/** All silences: made, changed, ended, asked, and kept on disk in upstream's format. */
import { randomUUID } from "node:crypto";
import { type Clock, type Disk, errorMessage, type Logger, NarthexError } from "../../base/index.ts";
import type { Labels, Matcher } from "../../model/index.ts";
import type { Cluster } from "../cluster.ts";
import { type MatcherParser, printMatcher, printMatchers, sameMatchers } from "../matcher/index.ts";
import type { Metrics } from "../metrics.ts";
import { delimit, readDelimited } from "../protobuf.ts";
import { Snapshot } from "../snapshot.ts";
import { MuteCache } from "./mute-cache.ts";
import {
  checkSilence,
  decodeSilence,
  encodeSilence,
  type Silence,
  type SilenceState,
  stateAt,
} from "./silence.ts";

export interface SilencesOptions {
  readonly clock: Clock;
  readonly disk: Disk;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly cluster: Cluster;
  readonly parser: MatcherParser;
  /** The file, `silences` in the storage directory. */
  readonly path: string;
  /** How long expired silences are kept. */
  readonly retentionMs: number;
  readonly maintenanceIntervalMs: number;
  /** How many silences there may be, expired ones included until they are dropped; 0 for any number. */
  readonly silencesMax: number;
  /** Size of one silence in its stored form; 0 for any. */
  readonly silenceBytesMax: number;
  /** Whether each change is logged. */
  readonly logChanges: boolean;
}

/** What a caller gives to make a silence, or with an `id` to change one. */
export type SilenceDraft = Omit<Silence, "id" | "updatedAtMs"> & { readonly id?: string };

/** A change is on disk after so long, at the latest. */
const writeDelayMs = 1000;

export class Silences {
  readonly #options: SilencesOptions;
  readonly #byId = new Map<string, Silence>();
  readonly #cache = new MuteCache(this.#byId);
  readonly #snapshot: Snapshot;

  constructor(options: SilencesOptions) {
    this.#options = options;
    this.#snapshot = new Snapshot({
      ...options,
      metrics: options.metrics.silenceStore,
      writeDelayMs,
      collectGarbage: () => this.#collectGarbage(),
      encode: () => this.#encode(),
    });
    this.#snapshot.load((file) => this.#decode(file));
  }

  get(id: string): Silence | undefined {
    return this.#byId.get(id);
  }

  /** Active ones by their end, then pending ones by their start, then expired ones, the last to end first. */
  list(): Silence[] {
    const nowMs = this.#nowMs();
    const rank: Record<SilenceState, number> = { active: 0, pending: 1, expired: 2 };
    const order = (a: Silence, b: Silence): number => {
      const [x, y] = [stateAt(a, nowMs), stateAt(b, nowMs)];
      if (x !== y) return rank[x] - rank[y];
      if (x === "pending") return a.startsAtMs - b.startsAtMs;
      return x === "active" ? a.endsAtMs - b.endsAtMs : b.endsAtMs - a.endsAtMs;
    };
    return [...this.#byId.values()].sort(order);
  }

  /** Ids of the active silences that hold for an alert with these labels on its way to this receiver. */
  muting(labels: Labels, receiverLabels?: ReadonlyMap<string, string>): string[] {
    const { metrics } = this.#options;
    metrics.silenceStore.queries.inc();
    const nowMs = this.#nowMs();
    const ids: string[] = [];
    for (const id of this.#cache.matching(labels)) {
      const silence = this.#byId.get(id);
      if (silence === undefined || stateAt(silence, nowMs) !== "active") continue;
      if (appliesTo(silence, receiverLabels)) ids.push(id);
    }
    return ids.sort();
  }

  /**
   * Makes a silence, or changes the one with the draft's id: in place where that does not rewrite the past, else by ending it and
   * making another. Returns the id under which it now stands. Throws `bad_data` or `not_found`.
   */
  set(draft: SilenceDraft): string {
    const nowMs = this.#nowMs();
    const previous = draft.id === undefined || draft.id === "" ? undefined : this.#byId.get(draft.id);
    const silence: Silence = { ...draft, id: draft.id ?? "", updatedAtMs: nowMs };
    checkSilence(silence, this.#options.parser);
    if (previous === undefined && draft.id) throw new NarthexError("not_found", "silence not found");
    if (previous !== undefined && canUpdate(previous, silence, nowMs)) {
      this.#checkSize(silence);
      this.#store(silence, "updated");
      return silence.id;
    }
    this.#checkCount();
    const startsAtMs = Math.max(silence.startsAtMs, nowMs);
    const fresh = { ...silence, id: randomUUID(), startsAtMs };
    this.#checkSize(fresh);
    if (previous !== undefined && stateAt(previous, nowMs) !== "expired") this.expire(previous.id);
    this.#store(fresh, "created");
    return fresh.id;
  }

  /** Ends a silence now. Throws `not_found`, or `bad_data` when it already has ended. */
  expire(id: string): void {
    const silence = this.#byId.get(id);
    if (silence === undefined) throw new NarthexError("not_found", "silence not found");
    const nowMs = this.#nowMs();
    const state = stateAt(silence, nowMs);
    if (state === "expired") throw new NarthexError("bad_data", `silence ${id} already expired`);
    const startsAtMs = state === "pending" ? nowMs : silence.startsAtMs;
    this.#store({ ...silence, startsAtMs, endsAtMs: nowMs, updatedAtMs: nowMs }, "expired");
  }

  /** How many there are of each state. */
  counts(): Record<SilenceState, number> {
    const counts = { active: 0, pending: 0, expired: 0 };
    const nowMs = this.#nowMs();
    for (const silence of this.#byId.values()) counts[stateAt(silence, nowMs)]++;
    return counts;
  }

  /** Takes over an entry from another node, unless what is known of that silence is newer. */
  merge(entry: Uint8Array): void {
    const { silence, expiresAtMs } = decodeSilence(entry);
    const known = this.#byId.get(silence.id);
    if (expiresAtMs <= this.#nowMs() || (known && known.updatedAtMs >= silence.updatedAtMs)) return;
    this.#keep(silence);
    this.#snapshot.touch();
  }

  close(): void {
    this.#snapshot.close();
  }

  #nowMs(): number {
    return Math.floor(this.#options.clock.nowMs());
  }

  #keep(silence: Silence): void {
    this.#byId.set(silence.id, silence);
    this.#cache.changed(silence.id);
  }

  #store(silence: Silence, change: "created" | "updated" | "expired"): void {
    this.#keep(silence);
    this.#options.cluster.broadcast("silences", this.#entry(silence));
    this.#snapshot.touch();
    if (!this.#options.logChanges) return;
    const { id, createdBy, comment, startsAtMs, endsAtMs } = silence;
    this.#options.logger.info(`silence ${change}`, {
      id,
      matchers: silence.matcherSets.map(printMatchers).join(" or "),
      createdBy,
      comment,
      startsAt: new Date(startsAtMs).toISOString(),
      endsAt: new Date(endsAtMs).toISOString(),
    });
  }

  #entry(silence: Silence): Uint8Array {
    return encodeSilence(silence, silence.endsAtMs + this.#options.retentionMs);
  }

  #checkCount(): void {
    const limit = this.#options.silencesMax;
    if (limit > 0 && this.#byId.size >= limit) {
      throw new NarthexError(
        "bad_data",
        `exceeded maximum number of silences: ${this.#byId.size} (limit: ${limit})`,
      );
    }
  }

  #checkSize(silence: Silence): void {
    const limit = this.#options.silenceBytesMax;
    const size = limit > 0 ? this.#entry(silence).length : 0;
    if (size > limit) {
      throw new NarthexError(
        "bad_data",
        `silence exceeded maximum size: ${size} bytes (limit: ${limit} bytes)`,
      );
    }
  }

  #collectGarbage(): void {
    const nowMs = this.#nowMs();
    for (const [id, silence] of this.#byId) {
      if (silence.endsAtMs + this.#options.retentionMs <= nowMs) this.#byId.delete(id);
    }
    this.#cache.reset();
  }

  #encode(): Uint8Array {
    return Buffer.concat([...this.#byId.values()].map((silence) => delimit(this.#entry(silence))));
  }

  #decode(file: Uint8Array): void {
    for (const entry of readDelimited(file)) {
      try {
        const { silence } = decodeSilence(entry);
        this.#keep(silence);
      } catch (error) {
        // A pattern that another program accepted costs this silence alone.
        if (!(error instanceof NarthexError)) throw error;
        this.#options.logger.error("silence dropped: it cannot be read", { err: errorMessage(error) });
      }
    }
  }
}

function appliesTo(silence: Silence, receiverLabels: ReadonlyMap<string, string> | undefined): boolean {
  const sets = silence.receiverMatcherSets;
  if (sets.length === 0) return true;
  if (receiverLabels === undefined) return false;
  return sets.some((set) =>
    set.every((matcher: Matcher) => matcher.matches(receiverLabels.get(matcher.name) ?? "")),
  );
}

/** Whether the change can be made without rewriting what the silence has silenced already. */
function canUpdate(previous: Silence, next: Silence, nowMs: number): boolean {
  const same =
    previous.matcherSets.length === next.matcherSets.length &&
    previous.matcherSets.every((set, i) => sameMatchers(set, next.matcherSets[i]!));
  if (!same) return false;
  const seconds = (timeMs: number): number => Math.floor(timeMs / 1000);
  switch (stateAt(previous, nowMs)) {
    case "active":
      return seconds(previous.startsAtMs) === seconds(next.startsAtMs) && next.endsAtMs >= nowMs;
    case "pending":
      return next.startsAtMs >= nowMs;
    case "expired":
      return false;
  }
}

/** Whether each of `filters` is one of the silence's own matchers. */
export function silenceHasMatchers(silence: Silence, filters: readonly Matcher[]): boolean {
  return silence.matcherSets.some((set) => {
    const own = new Set(set.map(printMatcher));
    return filters.every((filter) => own.has(printMatcher(filter)));
  });
}
