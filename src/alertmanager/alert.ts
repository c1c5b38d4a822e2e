/** An alert as Alertmanager keeps it. */
import { NarthexError } from "../base/index.ts";
import { compareStrings, type Labels } from "../model/index.ts";

export interface Alert {
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly generatorUrl: string;
  readonly startsAtMs: number;
  /** When it ends or will be taken to have ended; undefined in the copies that notifications get of firing alerts. */
  readonly endsAtMs: number | undefined;
  readonly updatedAtMs: number;
  /** Whether `endsAtMs` was not given by the sender but is its last word plus `resolve_timeout`. */
  readonly timeout: boolean;
  /** 16 hexadecimal digits, the same as upstream's for these labels. */
  readonly fingerprint: string;
}

/** What the API and in-process callers hand in. Times are Unix milliseconds; an absent one is filled in. */
export interface PostableAlert {
  readonly labels: Labels;
  readonly annotations?: Labels;
  readonly generatorUrl?: string;
  readonly startsAtMs?: number | undefined;
  readonly endsAtMs?: number | undefined;
}

export const alertNameLabel = "alertname";

/** Throws `bad_data` for an alert that cannot be kept. Labels with empty values must be gone by then. */
export function createAlert(
  source: PostableAlert,
  nowMs: number,
  resolveTimeoutMs: number,
  isLabelName: (name: string) => boolean,
): Alert {
  const { labels, annotations } = source;
  const timeout = source.endsAtMs === undefined;
  const startsAtMs = source.startsAtMs ?? source.endsAtMs ?? nowMs;
  const endsAtMs = source.endsAtMs ?? nowMs + resolveTimeoutMs;
  if (labels.size === 0) throw new NarthexError("bad_data", "at least one label pair required");
  for (const [kind, set] of [
    ["label", labels],
    ["annotation", annotations],
  ] as const) {
    for (const [name] of set ?? []) {
      if (!isLabelName(name)) {
        throw new NarthexError("bad_data", `invalid ${kind} set: invalid name ${JSON.stringify(name)}`);
      }
    }
  }
  if (endsAtMs < startsAtMs) throw new NarthexError("bad_data", "start time must be before end time");
  return {
    labels,
    annotations: annotations ?? labels.only(),
    generatorUrl: source.generatorUrl ?? "",
    startsAtMs,
    endsAtMs,
    updatedAtMs: nowMs,
    timeout,
    fingerprint: fingerprintOf(labels),
  };
}

export function isResolvedAt(alert: Alert, timeMs: number): boolean {
  return alert.endsAtMs !== undefined && alert.endsAtMs <= timeMs;
}

/** Whether the two time ranges of what is the same alert belong together: the newer one's start or end lies inside the old. */
export function overlaps(fresh: Alert, old: Alert): boolean {
  const inside = (timeMs: number): boolean => timeMs > old.startsAtMs && timeMs < (old.endsAtMs ?? Infinity);
  return inside(fresh.endsAtMs ?? Infinity) || inside(fresh.startsAtMs);
}

/** One alert from two overlapping reports of it; the one updated later gives everything but the times. */
export function mergeAlerts(a: Alert, b: Alert, nowMs: number): Alert {
  const [old, young] = a.updatedAtMs <= b.updatedAtMs ? [a, b] : [b, a];
  let { endsAtMs } = young;
  const later = old.endsAtMs !== undefined && endsAtMs !== undefined && old.endsAtMs > endsAtMs;
  if (isResolvedAt(young, nowMs)) {
    // The later end holds, unless the old report only said that it was still firing.
    if (later && isResolvedAt(old, nowMs)) ({ endsAtMs } = old);
  } else if (later && !old.timeout) ({ endsAtMs } = old);
  return { ...young, startsAtMs: Math.min(old.startsAtMs, young.startsAtMs), endsAtMs };
}

/** The low factor of FNV's 64-bit prime, which is 2^40 + this. */
const FNV_PRIME_LOW = 0x1b3;

/** FNV-1a over name, 0xff, value, 0xff … in order of names. The 64 bits are kept as two halves. */
export function fingerprintOf(labels: Labels): string {
  let high = 0xcbf29ce4;
  let low = 0x84222325;
  const add = (octet: number): void => {
    low = (low ^ octet) >>> 0;
    const product = low * FNV_PRIME_LOW;
    high = (high * FNV_PRIME_LOW + Math.floor(product / 2 ** 32) + (low << 8)) >>> 0;
    low = product >>> 0;
  };
  for (const part of labels.pairs) {
    for (const octet of Buffer.from(part)) add(octet);
    add(0xff);
  }
  return high.toString(16).padStart(8, "0") + low.toString(16).padStart(8, "0");
}

/** Fewer labels first, then name by name in order, as upstream orders label sets. */
export function compareLabelSets(a: Labels, b: Labels): number {
  return a.size - b.size || a.compare(b);
}

/** By job, then instance (those without one last), then all labels: the order in which notifications list alerts. */
export function compareAlerts(a: Alert, b: Alert): number {
  for (const name of ["job", "instance"]) {
    const [x, y] = [a.labels.get(name), b.labels.get(name)];
    if (x === y) continue;
    if (x === "" || y === "") return x === "" ? 1 : -1;
    return compareStrings(x, y);
  }
  return compareLabelSets(a.labels, b.labels);
}
