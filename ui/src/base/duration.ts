/** Durations as PromQL writes them ("1h30m", "250ms"), held as milliseconds. */

const unitMs: readonly (readonly [unit: string, ms: number])[] = [
  ["y", 365 * 86_400_000],
  ["w", 7 * 86_400_000],
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1000],
  ["ms", 1],
];

/** Milliseconds of "1h30m", of "0" or of a plain number of seconds; `undefined` when it is none of these. */
export function parseDuration(text: string): number | undefined {
  const trimmed = text.trim();
  if (/^\d+(\.\d+)?$/.test(trimmed)) return Math.round(Number(trimmed) * 1000);
  const parts = /^(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?$/.exec(
    trimmed,
  );
  if (parts === null || trimmed === "") return undefined;
  return unitMs.reduce((sum, [, ms], index) => sum + Number(parts[index + 1] ?? 0) * ms, 0);
}

/** The shortest exact spelling with days as the largest unit but for whole weeks and years: 90 min is "1h30m". */
export function formatDuration(durationMs: number): string {
  let rest = Math.round(durationMs);
  if (rest <= 0) return "0s";
  let text = "";
  for (const [unit, ms] of unitMs) {
    if ((unit === "y" || unit === "w") && rest % ms !== 0) continue;
    const count = Math.floor(rest / ms);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * ms;
  }
  return text;
}

/** A duration for reading, in at most two units: "3d 4h", "12 s", "840 ms", "31 µs". */
export function humanizeDuration(durationMs: number): string {
  if (!Number.isFinite(durationMs)) return "–";
  const size = Math.abs(durationMs);
  if (size === 0) return "0 s";
  if (size < 1) return `${Number((durationMs * 1000).toPrecision(3))} µs`;
  if (size < 1000) return `${Number(durationMs.toPrecision(3))} ms`;
  if (size < 60_000) return `${Number((durationMs / 1000).toPrecision(3))} s`;
  const seconds = Math.round(size / 1000);
  const [days, hours, minutes] = [
    Math.floor(seconds / 86_400),
    Math.floor(seconds / 3600) % 24,
    Math.floor(seconds / 60) % 60,
  ];
  const sign = durationMs < 0 ? "-" : "";
  if (days > 0) return `${sign}${days}d ${hours}h`;
  if (hours > 0) return `${sign}${hours}h ${minutes}m`;
  return `${sign}${minutes}m ${seconds % 60}s`;
}

const stepsS = [
  1, 10, 60, 300, 900, 1800, 3600, 7200, 21_600, 43_200, 86_400, 172_800, 604_800, 1_209_600, 2_419_200,
  4_838_400, 15_724_800, 31_536_000, 63_072_000,
];

/** The next wider (or narrower) of the ranges one steps through with + and −. */
export function neighbourRange(rangeMs: number, direction: "wider" | "narrower"): number {
  const stepsMs = stepsS.map((seconds) => seconds * 1000);
  return direction === "wider"
    ? (stepsMs.find((step) => step > rangeMs) ?? rangeMs)
    : (stepsMs.findLast((step) => step < rangeMs) ?? rangeMs);
}
