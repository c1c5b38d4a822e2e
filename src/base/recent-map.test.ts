import assert from "node:assert/strict";
import { test } from "node:test";
import { RecentMap } from "./recent-map.ts";

test("what is used stays, what is not used goes, and there is never more than twice the bound", () => {
  const map = new RecentMap<number, { key: number }>(10);
  for (let key = 0; key < 1000; key++) {
    map.set(key, { key });
    assert.deepEqual(map.get(0), { key: 0 }, `after ${key}`);
  }
  const held = Array.from({ length: 1000 }, (_, key) => key).filter((key) => map.get(key) !== undefined);
  assert.ok(held.length >= 10 && held.length <= 20, `${held.length} entries`);
  assert.ok(held.includes(999));
  map.clear();
  assert.equal(map.get(0), undefined);
});

test("values weigh what they say, also when they replace others", () => {
  const map = new RecentMap<string, number>(100, (value) => value);
  map.set("heavy", 60);
  map.set("heavy", 10);
  map.set("light", 80);
  assert.equal(map.get("heavy"), 10);
  map.set("next", 50);
  map.set("last", 60);
  map.set("more", 60);
  map.set("most", 1);
  assert.equal(map.get("light"), undefined);
  assert.equal(map.get("last"), 60);
});
