import { Secret } from "../base/index.ts";

/**
 * A text that two configurations share only when they are equal, secrets included: for telling whether something changed. It holds what must
 * not be shown and is to be compared or hashed, nothing else.
 */
export function fingerprint(value: unknown): string {
  return JSON.stringify(value, function (this: Record<string, unknown>, key, plain: unknown) {
    // Secrets have become their mask by now, and maps nothing.
    const raw = this[key];
    if (raw instanceof Secret) return { secret: raw.reveal() };
    return raw instanceof Map ? { map: [...raw] } : plain;
  });
}
