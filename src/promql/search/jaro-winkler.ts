import type { Characters } from "./subsequence.ts";

const prefixMax = 4;
const prefixWeight = 0.1;

/** The similarity of two texts by Jaro and Winkler, from 0 to 1. */
export function jaroWinklerScore(a: Characters, b: Characters): number {
  if (a.length === 0 || b.length === 0) return a.length === b.length ? 1 : 0;
  const [short, long] = a.length <= b.length ? [a, b] : [b, a];
  const pairs = matchingCharacters(short, long);
  if (pairs.matches === 0) return 0;
  const { matches, transpositions } = pairs;
  const jaro =
    (matches / short.length + matches / long.length + (matches - transpositions / 2) / matches) / 3;
  let prefix = 0;
  while (prefix < Math.min(prefixMax, short.length) && short[prefix] === long[prefix]) prefix++;
  return jaro + prefix * prefixWeight * (1 - jaro);
}

/** How many characters of both are the same and near each other, and how many of these stand in another order. */
function matchingCharacters(
  short: Characters,
  long: Characters,
): { matches: number; transpositions: number } {
  const distanceMax = Math.max(Math.floor(long.length / 2) - 1, 0);
  const taken = new Uint8Array(long.length);
  const matched: string[] = [];
  for (let i = 0; i < short.length; i++) {
    const end = Math.min(i + distanceMax + 1, long.length);
    for (let j = Math.max(i - distanceMax, 0); j < end; j++) {
      if (taken[j] === 1 || short[i] !== long[j]) continue;
      taken[j] = 1;
      matched.push(short[i]!);
      break;
    }
  }
  let transpositions = 0;
  let next = 0;
  for (let j = 0; j < long.length; j++) if (taken[j] === 1 && long[j] !== matched[next++]) transpositions++;
  return { matches: matched.length, transpositions };
}
