/** What may not come right after each of these; where it does, the number is none. */
const notAfterPoint = "_.";
const notAfterExponent = "._eE";
const notAfterUnderscore = "._eE";

const decimalDigits = "0123456789";
const hexadecimalDigits = "0123456789abcdefABCDEF";

/**
 * How far from `start` on the characters go that a number could have, and whether they are one. Where they are not, `end` is behind the
 * character that is wrong, or where something else would have to follow.
 */
export function scanNumber(text: string, start: number): { end: number; isNumber: boolean } {
  let at = start;
  const isAt = (set: string): boolean => at < text.length && set.includes(text.charAt(at));
  const take = (set: string): boolean => {
    if (!isAt(set)) return false;
    at++;
    return true;
  };
  const isHexadecimal = take("0") && take("xX");
  const digits = isHexadecimal ? hexadecimalDigits : decimalDigits;
  const none = (): { end: number; isNumber: boolean } => ({ end: at, isNumber: false });
  if (isHexadecimal) take("_");
  take(".");
  take(digits);
  let hasPoint = false;
  let hasExponent = false;
  while (isAt(`${digits}._eE`)) {
    if (take(".")) {
      if (hasPoint || take(notAfterPoint) || isHexadecimal) return none();
      hasPoint = true;
    } else if (take("eE")) {
      if (hasExponent) return none();
      hasExponent = true;
      take("+-");
      if (take(notAfterExponent) || at >= text.length) return none();
    } else if (take("_")) {
      if (take(notAfterUnderscore) || at >= text.length) return none();
    } else {
      while (take(digits)) continue;
    }
  }
  return { end: at, isNumber: at > start && !isAlphanumeric(text.charAt(at)) };
}

/** How far from `start` on the characters go that make a number's digits a duration, and whether they do. */
export function scanDurationTail(text: string, start: number): { end: number; isDuration: boolean } {
  let at = start;
  const take = (set: string): boolean => {
    if (at >= text.length || !set.includes(text.charAt(at))) return false;
    at++;
    return true;
  };
  const none = (): { end: number; isDuration: boolean } => ({ end: at, isDuration: false });
  if (!take("smhdwy")) return none();
  // `ms`; units that are none are found when the duration is converted, and so is a wrong order.
  take("s");
  while (take(decimalDigits)) {
    while (take(decimalDigits)) continue;
    if (!take("smhdw")) return none();
    take("s");
  }
  if (!isAlphanumeric(text.charAt(at))) return { end: at, isDuration: true };
  at++;
  return none();
}

function isAlphanumeric(character: string): boolean {
  return /^[A-Za-z0-9_]$/.test(character);
}
