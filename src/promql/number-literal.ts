import { parseNumber, quoteGo } from "../model/index.ts";

const integer = /^(?:0|[1-9](?:_?[0-9])*)$/;
const octal = /^0(?:_?[0-7])+$/;
const hexadecimal = /^0[xX](?:_?[0-9a-fA-F])+$/;
const int64Max = 2n ** 63n - 1n;

/** The value of a number token, or the reason why it has none. As in Go, `017` is octal. */
export function numberValue(text: string): number | { reason: string } {
  const plain = text.replaceAll("_", "");
  if (hexadecimal.test(text)) {
    const value = BigInt(plain);
    return value <= int64Max ? Number(value) : outOfRange(text);
  }
  if (octal.test(text)) return Number(BigInt(`0o${plain.slice(1)}`));
  const value = integer.test(text) ? Number(plain) : text.endsWith("_") ? undefined : parseNumber(plain);
  if (value === undefined) return { reason: `strconv.ParseFloat: parsing ${quoteGo(text)}: invalid syntax` };
  const overflows = !Number.isFinite(value) && /[0-9]/.test(text);
  return overflows ? outOfRange(text) : value;
}

function outOfRange(text: string): { reason: string } {
  return { reason: `strconv.ParseFloat: parsing ${quoteGo(text)}: value out of range` };
}
