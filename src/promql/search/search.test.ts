import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { jaroWinklerScore } from "./jaro-winkler.ts";
import { search, type SearchOptions } from "./search.ts";
import { charactersOf, subsequenceScore } from "./subsequence.ts";

const subsequence = (pattern: string, text: string): number =>
  subsequenceScore(charactersOf(pattern), charactersOf(text));
const likeness = (a: string, b: string): number => jaroWinklerScore(charactersOf(a), charactersOf(b));

function near(actual: number, expected: number): void {
  assert.ok(Math.abs(actual - expected) < 1e-9, `${actual} for ${expected}`);
}

test("runs of characters in order score, gaps cost", () => {
  for (const [pattern, text, score] of [
    ["", "anything", 1],
    ["my awesome text", "my awesome text", 1],
    ["my", "my awesome text", (107 / 120) * 0.999],
    ["tex", "my awesome text", (247 / 270) * 0.999],
    ["met", "my awesome text", (43 / 90) * 0.999],
    ["bac", "babac", (43 / 45) * 0.999],
    ["handler1", "handler10", 1149849 / 1152000],
    ["abaa", "abbaa", (39 / 80) * 0.999],
    ["oa", "goat", (29 / 32) * 0.999],
    ["éü", "éàü", (5 / 12) * 0.999],
    ["😀x", "😀yx", (5 / 12) * 0.999],
    ["abc", "", 0],
    ["abcd", "abc", 0],
    ["ab", "ba", 0],
    ["xyz", "abc", 0],
  ] as const)
    near(subsequence(pattern, text), score);
});

/** Every way to find the pattern that begins at some place and takes the next fitting character from there on. */
function plainScore(pattern: string, text: string): number {
  let best = 0;
  for (let start = 0; start < text.length; start++) {
    if (text[start] !== pattern[0]) continue;
    const places: number[] = [];
    for (let i = start; i < text.length && places.length < pattern.length; i++)
      if (text[i] === pattern[places.length]) places.push(i);
    if (places.length < pattern.length) continue;
    let score = -places[0]! / text.length - (text.length - 1 - places.at(-1)!) / text.length / 2;
    for (let i = 0, from = 0; i < places.length; i++) {
      const next = places[i + 1];
      if (next === places[i]! + 1) continue;
      score += (i - from + 1) ** 2 - (next === undefined ? 0 : (next - places[i]! - 1) / text.length);
      from = i + 1;
    }
    best = Math.max(best, score);
  }
  return pattern === text ? 1 : (best / pattern.length ** 2) * 0.999;
}

test("the score is that of the plain reading of it", () => {
  const text = fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 8 });
  fc.assert(
    fc.property(
      text.filter((one) => one !== ""),
      text,
      (pattern, value) => near(subsequence(pattern, value), plainScore(pattern, value)),
    ),
    { numRuns: 2000 },
  );
});

test("likeness is that of Jaro and Winkler", () => {
  for (const [a, b, score] of [
    ["martha", "marhta", 0.961],
    ["dwayne", "duane", 0.84],
    ["dixon", "dicksonx", 0.813],
    ["café", "cafè", 0.883],
    ["màrthà", "màrhtà", 0.961],
    ["same", "same", 1],
    ["", "", 1],
    ["", "abc", 0],
    ["abc", "xyz", 0],
  ] as const) {
    assert.equal(likeness(a, b).toFixed(3), score.toFixed(3), `${a} ${b}`);
    assert.equal(likeness(b, a), likeness(a, b));
  }
});

test("what fits is found in the order that is asked for, up to the limit", () => {
  const names = ["go_info", "http_requests_total", "http_size", "Process_http", "up"];
  const find = (options: Partial<SearchOptions>): string[] =>
    search(names, {
      terms: [],
      threshold: 0,
      algorithm: "subsequence",
      isCaseSensitive: true,
      order: "ascending",
      limit: 10,
      ...options,
    }).map(([text, score]) => `${text} ${score.toFixed(2)}`);
  assert.deepEqual(find({ limit: 2 }), ["go_info 1.00", "http_requests_total 1.00"]);
  assert.deepEqual(find({ limit: 2, order: "descending" }), ["up 1.00", "Process_http 1.00"]);
  assert.deepEqual(find({ terms: ["http"] }), [
    "http_requests_total 1.00",
    "http_size 1.00",
    "Process_http 0.96",
  ]);
  assert.deepEqual(find({ terms: ["hsize", ""] }), ["http_size 0.66"]);
  assert.deepEqual(find({ terms: ["hsize"], threshold: 0.7 }), []);
  assert.deepEqual(find({ terms: ["P_H"] }), []);
  assert.deepEqual(find({ terms: ["P_H"], isCaseSensitive: false }), ["Process_http 0.49"]);
  assert.deepEqual(find({ terms: ["http", "up"], order: "score", limit: 3 }), [
    "http_requests_total 1.00",
    "http_size 1.00",
    "up 1.00",
  ]);
  const byPlace = { algorithm: "jarowinkler", order: "score" } as const;
  assert.deepEqual(find({ ...byPlace, terms: ["size"] }), ["http_size 0.10"]);
  assert.deepEqual(find({ ...byPlace, terms: ["htpt_size"] }), []);
  assert.deepEqual(find({ ...byPlace, terms: ["htpt_size"], threshold: 0.9 }), ["http_size 0.97"]);
});
