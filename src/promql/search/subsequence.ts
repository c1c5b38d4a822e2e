/** What is not the same text stays below 1, however it is rounded. */
const inexactScale = 0.999;

/** Characters by index: the text itself where no character takes two of its units. */
export type Characters = string | readonly string[];

export function charactersOf(text: string): Characters {
  return /[\ud800-\udfff]/.test(text) ? Array.from(text) : text;
}

/**
 * How well `text` has the characters of `pattern` in their order, from 0 (not at all) to 1 (it is the same text). Runs count with the square of
 * their length; what lies before and between them costs its share of the text, what follows them half as much. Of the places where the pattern may
 * begin the best counts, from each on the next fitting character is taken.
 */
export function subsequenceScore(pattern: Characters, text: Characters): number {
  if (pattern.length === 0) return 1;
  if (pattern.length === text.length && startsWith(text, pattern)) return 1;
  let best = 0;
  for (let start = 0; start <= text.length - pattern.length; start++) {
    if (text[start] !== pattern[0]) continue;
    const score = scoreFrom(pattern, text, start);
    // What does not fit from here on does not further on.
    if (score === undefined) break;
    best = Math.max(best, score);
  }
  return (best / (pattern.length * pattern.length)) * inexactScale;
}

export function startsWith(text: Characters, prefix: Characters): boolean {
  if (prefix.length > text.length) return false;
  for (let i = 0; i < prefix.length; i++) if (text[i] !== prefix[i]) return false;
  return true;
}

function scoreFrom(pattern: Characters, text: Characters, start: number): number | undefined {
  let score = 0;
  let found = 0;
  let at = start;
  /** Where the run before ended, exclusive. */
  let runEnd = 0;
  while (found < pattern.length) {
    while (at < text.length && text[at] !== pattern[found]) at++;
    if (at === text.length) return undefined;
    const runStart = at;
    while (found < pattern.length && at < text.length && text[at] === pattern[found]) {
      at++;
      found++;
    }
    score += (at - runStart) ** 2 - (runStart - runEnd) / text.length;
    runEnd = at;
  }
  return score - (text.length - runEnd) / text.length / 2;
}
