import { type Plan, type PlanNode, planNodes } from "../plan/plan.ts";
import type { Operator } from "./operator.ts";
import { countPresent, type RowMemory } from "./rows.ts";

/** What one operator did on one thread. */
export interface NodeProfile {
  /** Milliseconds in it and in what it pulled from. */
  wallMs: number;
  /** Series that it stated. */
  series: number;
  /** Rows that were pulled from it; one that was pulled twice counts twice. */
  rows: number;
  /** Values in the rows, each row counted once. */
  samples: number;
}

/** Times the operators of a running query, by the nodes of its plan. */
export class Profile {
  readonly #profiles = new Map<PlanNode, NodeProfile>();
  readonly #plan: Plan;
  readonly #memory: RowMemory;

  constructor(plan: Plan, memory: RowMemory) {
    this.#plan = plan;
    this.#memory = memory;
  }

  /** The operator with a stopwatch around it. */
  operator(node: PlanNode, operator: Operator): Operator {
    const profile = this.#of(node);
    const { steps } = operator;
    const pulled = new Set<number>();
    const timed = <T>(work: () => T): T => {
      const startMs = performance.now();
      const result = work();
      profile.wallMs += performance.now() - startMs;
      return result;
    };
    return {
      steps,
      series: () => {
        const list = timed(() => operator.series());
        profile.series = list.length;
        return list;
      },
      row: (series) => {
        const row = timed(() => operator.row(series));
        profile.rows++;
        if (!pulled.has(series)) profile.samples += countPresent(this.#memory, row, steps);
        pulled.add(series);
        return row;
      },
    };
  }

  /** Takes note of a fragment that was evaluated as a whole. */
  fragment(node: PlanNode, wallMs: number, series: number, samples: number): void {
    const profile = this.#of(node);
    profile.wallMs += wallMs;
    profile.series = series;
    profile.rows += series;
    profile.samples += samples;
  }

  /** In the order of `planNodes`; undefined for what this thread did not evaluate. */
  nodes(): (NodeProfile | undefined)[] {
    return planNodes(this.#plan).map((node) => this.#profiles.get(node));
  }

  #of(node: PlanNode): NodeProfile {
    let profile = this.#profiles.get(node);
    if (profile === undefined) {
      profile = { wallMs: 0, series: 0, rows: 0, samples: 0 };
      this.#profiles.set(node, profile);
    }
    return profile;
  }
}
