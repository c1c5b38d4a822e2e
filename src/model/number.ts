/**
 * Formats a sample value as the HTTP API, ALERTS values and PromQL strings do: the shortest digits that read back as the
 * same number, in plain notation unless the magnitude is under 1e-6 or at least 1e21 (`encoding/json`'s rule upstream).
 */
export function formatValue(value: number): string {
  if (Number.isFinite(value)) {
    if (value === 0) return Object.is(value, -0) ? "-0" : "0";
    const magnitude = Math.abs(value);
    if (magnitude >= 1e-6 && magnitude < 1e21) return String(value);
    return goExponent(String(value));
  }
  return formatSpecial(value);
}

/** Go's `strconv.FormatFloat(v, 'f', -1, 64)`: shortest digits, never an exponent. */
export function formatPlain(value: number): string {
  if (!Number.isFinite(value)) return formatSpecial(value);
  if (Object.is(value, -0)) return "-0";
  const text = String(value);
  const at = text.indexOf("e");
  if (at < 0) return text;
  const exponent = Number(text.slice(at + 1));
  const negative = text.startsWith("-");
  const mantissa = text.slice(negative ? 1 : 0, at);
  const digits = mantissa.replace(".", "");
  const plain =
    exponent < 0
      ? `0.${"0".repeat(-exponent - 1)}${digits}`
      : digits + "0".repeat(exponent + 1 - digits.length);
  return negative ? `-${plain}` : plain;
}

/** Go's `strconv.FormatFloat(v, 'g', -1, 64)`, the exposition formats' form: an exponent below 1e-4 and from 1e6 on. */
export function formatShortest(value: number): string {
  if (!Number.isFinite(value)) return formatSpecial(value);
  if (value === 0) return Object.is(value, -0) ? "-0" : "0";
  const magnitude = Math.abs(value);
  if (magnitude >= 1e-4 && magnitude < 1e6) return String(value);
  return goExponent(value.toExponential());
}

/** `FormatFloat(v, 'e', -1, 64)`: always an exponent. */
export function formatExponent(value: number): string {
  if (!Number.isFinite(value)) return formatSpecial(value);
  return (Object.is(value, -0) ? "-" : "") + goExponent(value.toExponential());
}

function formatSpecial(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  return value > 0 ? "+Inf" : "-Inf";
}

/** JavaScript writes 1e-7, Go writes 1e-07. */
function goExponent(text: string): string {
  return text.replace(/e([+-])(\d)$/, "e$10$2");
}

const decimal = /^[+-]?(?:\d+(?:_\d+)*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const hexadecimal = /^([+-]?)0[xX]([0-9a-fA-F_]*)\.?([0-9a-fA-F_]*)(?:[pP]([+-]?\d+))?$/;

/** Reads a number as Go's `strconv.ParseFloat` accepts it; undefined when it would not. */
export function parseNumber(text: string): number | undefined {
  if (decimal.test(text) && !text.includes("_")) return Number(text);
  switch (text.toLowerCase()) {
    case "nan":
      return NaN;
    case "inf":
    case "+inf":
    case "infinity":
    case "+infinity":
      return Infinity;
    case "-inf":
    case "-infinity":
      return -Infinity;
  }
  const hex = hexadecimal.exec(text);
  if (!hex || hex[4] === undefined) return undefined;
  const [, sign, whole = "", fraction = "", exponent] = hex;
  if (whole + fraction === "" || (whole + fraction).includes("_")) return undefined;
  const digits = BigInt(`0x${whole}${fraction}`);
  const scale = Number(exponent) - 4 * fraction.length;
  const value = Number(digits) * 2 ** scale;
  return sign === "-" ? -value : value;
}
