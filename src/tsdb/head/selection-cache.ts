import { RecentMap } from "../../base/index.ts";
import { type Kernel, layout } from "../../kernel/index.ts";
import type { Matcher } from "../../model/index.ts";

const versionIndex = layout.headWord.seriesVersion >>> 2;
/** Selections of more series are not kept: to use them costs more than to find them. Those of fewer are copies. */
export const selectionSeriesMax = 1024;
/** Refs that one thread keeps, at least; up to twice as many. */
const refsMax = 16_384;

/**
 * What selectors found, for one thread: dashboards and rules ask with the same matchers again and again. It is good until a series comes;
 * series that go stay in it, and whoever looks them up sees that they are gone.
 */
export class SelectionCache {
  readonly #u32: Uint32Array;
  /** One more than there are refs, so that those without any weigh something. */
  readonly #known = new RecentMap<readonly Matcher[], Uint32Array>(refsMax, ({ length }) => length + 1);
  #version = 0;

  constructor(kernel: Kernel) {
    this.#u32 = kernel.views.u32;
  }

  /** The refs that `select` finds for these very `matchers`; nobody may change either. */
  find(matchers: readonly Matcher[], select: (matchers: readonly Matcher[]) => Uint32Array): Uint32Array {
    // Looked at before the index: a series that comes meanwhile makes outdated what is found now.
    const version = Atomics.load(this.#u32, versionIndex);
    if (version !== this.#version) this.#known.clear();
    this.#version = version;
    const known = this.#known.get(matchers);
    if (known !== undefined) return known;
    const found = select(matchers);
    if (found.length > selectionSeriesMax) return found;
    // What the index gives out is good in the epoch only.
    const refs = found.slice();
    this.#known.set(matchers, refs);
    return refs;
  }
}
