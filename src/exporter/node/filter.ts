import { Regexp } from "../../model/index.ts";

/** Answers are remembered for this many names; names of devices and fields are few and come again at every scrape. */
const namesMax = 10_000;

/** Which names pass: those that `exclude` does not match and `include`, if given, does. Patterns are not anchored. */
export class NameFilter {
  readonly #exclude: Regexp | undefined;
  readonly #include: Regexp | undefined;
  readonly #answers = new Map<string, boolean>();

  constructor({ exclude = "", include = "" }: { exclude?: string; include?: string }) {
    this.#exclude = exclude === "" ? undefined : Regexp.compile(exclude);
    this.#include = include === "" ? undefined : Regexp.compile(include);
  }

  passes(name: string): boolean {
    const known = this.#answers.get(name);
    if (known !== undefined) return known;
    const answer = this.#exclude?.test(name) !== true && this.#include?.test(name) !== false;
    if (this.#answers.size >= namesMax) this.#answers.clear();
    this.#answers.set(name, answer);
    return answer;
  }
}
