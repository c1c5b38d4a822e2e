/** Numbers for reading. A unit says how a value is scaled and what stands behind it. */

export type Unit = "none" | "percent" | "bytes" | "bytes/s" | "seconds" | "per second";

const siPrefixes = ["", "k", "M", "G", "T", "P", "E"];
const smallPrefixes = ["", "m", "µ", "n", "p"];
const binaryPrefixes = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

/** Special values are spelled as Prometheus does; `undefined` when the value is an ordinary number. */
function special(value: number): string | undefined {
  if (Number.isNaN(value)) return "NaN";
  if (value === Infinity) return "+Inf";
  return value === -Infinity ? "-Inf" : undefined;
}

/** At most `digits` significant ones, without trailing zeros, never in exponent form below 1e21. */
function significant(value: number, digits: number): string {
  const rounded = Number(value.toPrecision(digits));
  return Object.is(rounded, -0) ? "0" : String(rounded);
}

function scaled(value: number, base: number, prefixes: readonly string[], digits: number): [string, string] {
  let size = Math.abs(value);
  let power = 0;
  // 999.9996 would round up to 1000: it belongs to the next prefix already.
  while (power < prefixes.length - 1 && Number(size.toPrecision(digits)) >= base) {
    size /= base;
    power++;
  }
  return [significant(Math.sign(value) * size, Math.max(digits, size >= 1000 ? 4 : 0)), prefixes[power]!];
}

/** 1234567 → "1.235M", 0.00042 → "420µ": for axes and tiles, where width counts. */
export function formatSi(value: number, digits = 4): string {
  const word = special(value);
  if (word !== undefined) return word;
  const size = Math.abs(value);
  if (size >= 1000) {
    const [number, prefix] = scaled(value, 1000, siPrefixes, digits);
    return size >= 1e21 ? value.toExponential(3) : number + prefix;
  }
  if (size === 0 || size >= 0.01) return significant(value, digits);
  let power = 0;
  let shown = value;
  while (power < smallPrefixes.length - 1 && Math.abs(shown) < 1) {
    shown *= 1000;
    power++;
  }
  return Math.abs(shown) < 0.001
    ? value.toExponential(2)
    : significant(shown, digits) + smallPrefixes[power]!;
}

/** 1536 → "1.5 KiB". */
export function formatBytes(value: number, digits = 3): string {
  const word = special(value);
  if (word !== undefined) return word;
  const [number, prefix] = scaled(value, 1024, binaryPrefixes, digits);
  return `${number} ${prefix}B`;
}

/** A value of any unit. Percent takes a ratio: 0.5 → "50 %". Seconds choose their own scale: 0.002 → "2 ms". */
export function formatValue(value: number, unit: Unit): string {
  const word = special(value);
  if (word !== undefined) return word;
  switch (unit) {
    case "none":
      return formatSi(value);
    case "percent":
      return `${Number((value * 100).toFixed(Math.abs(value) < 0.1 ? 2 : 1))} %`;
    case "bytes":
      return formatBytes(value);
    case "bytes/s":
      return `${formatBytes(value)}/s`;
    case "seconds":
      return formatSeconds(value);
    case "per second":
      return `${formatSi(value)}/s`;
  }
}

function formatSeconds(value: number): string {
  const size = Math.abs(value);
  if (size === 0) return "0 s";
  if (size >= 86_400 * 2) return `${significant(value / 86_400, 3)} d`;
  if (size >= 7200) return `${significant(value / 3600, 3)} h`;
  if (size >= 120) return `${significant(value / 60, 3)} min`;
  if (size >= 1) return `${significant(value, 3)} s`;
  if (size >= 1e-3) return `${significant(value * 1e3, 3)} ms`;
  return size >= 1e-6 ? `${significant(value * 1e6, 3)} µs` : `${significant(value * 1e9, 3)} ns`;
}

/** Whole numbers with thin spaces between thousands: 1234567 → "1 234 567". */
export function formatCount(value: number): string {
  const word = special(value);
  if (word !== undefined) return word;
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, "\u202f");
}

/** Sample values travel as strings; this reads all that `formatSample` of the server may write. */
export function parseSample(text: string): number {
  if (text === "+Inf" || text === "Inf") return Infinity;
  return text === "-Inf" ? -Infinity : Number(text);
}
