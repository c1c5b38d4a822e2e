import assert from "node:assert/strict";
import test from "node:test";
import { PlainParams } from "./plain-params.ts";

const names = ["query", "time", "limit", "quéry", "a b", "%zz", "x"];
const pieces =
  "query time limit x = = & & + %20 %2B %26 %3D % %4 %zz %C3%A9 %c3 %E2%82 %ED%A0%80 %00 é 😀 %F0%9F%98%80 1.5 up{}".split(
    " ",
  );

test("parameters are those that URLSearchParams reads", (t) => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  t.diagnostic(`seed ${seed}`);
  let state = seed;
  const random = (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    return Math.floor((state / 0x8000_0000) * below);
  };
  const text = (): string => Array.from({ length: random(12) }, () => pieces[random(pieces.length)]).join("");
  for (let i = 0; i < 20_000; i++) {
    const [query, form] = [text(), random(2) === 0 ? "" : text()];
    const expected = new URLSearchParams(form);
    for (const [name, value] of new URLSearchParams(query)) expected.append(name, value);
    const params = new PlainParams(query, form);
    for (const name of names)
      assert.equal(params.get(name), expected.get(name), JSON.stringify([query, form, name]));
  }
});
