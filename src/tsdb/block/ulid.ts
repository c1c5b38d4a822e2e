import { randomBytes } from "node:crypto";

/** Crockford's base 32: digits and letters without I, L, O and U. */
const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const pattern = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/;

/** The name of a block: 48 bits of milliseconds and 80 random ones, in 26 characters that sort by time. */
export function createUlid(timestampMs: number, random: Uint8Array = randomBytes(10)): string {
  let bits = BigInt(Math.floor(timestampMs)) << 80n;
  for (let i = 0; i < 10; i++) bits |= BigInt(random[i]!) << BigInt(8 * (9 - i));
  let text = "";
  for (let shift = 125n; shift >= 0n; shift -= 5n) text += alphabet[Number((bits >> shift) & 31n)];
  return text;
}

export function isUlid(text: string): boolean {
  return pattern.test(text);
}

/** When it was made, in milliseconds. */
export function ulidTimeMs(ulid: string): number {
  let timeMs = 0;
  for (const character of ulid.slice(0, 10)) timeMs = timeMs * 32 + alphabet.indexOf(character);
  return timeMs;
}
