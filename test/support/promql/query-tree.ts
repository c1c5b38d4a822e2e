export type ValueKind = "scalar" | "vector" | "matrix" | "string";

/**
 * How sure both engines come to the same bits: `whole` numbers (or multiples of 1/64) that any order of summation leaves exact,
 * `same` where both do the same operations, `close` where they may differ in the last digits.
 */
export type Exactness = "whole" | "same" | "close";

/** A part of a query. Its text is that of its parts, one after the other. */
export interface QueryNode {
  readonly kind: ValueKind;
  readonly exactness: Exactness;
  readonly parts: readonly (string | Optional | QueryNode)[];
}

/** Text that can be left out. */
export interface Optional {
  readonly optional: string;
}

export function printQuery(node: QueryNode): string {
  return node.parts
    .map((part) => {
      if (typeof part === "string") return part;
      return "optional" in part ? part.optional : printQuery(part);
    })
    .join("");
}

/** The smallest query found, by leaving out one thing after the other, that still fails. `asksMax` bounds how often that is asked. */
export async function shrinkQuery(
  node: QueryNode,
  fails: (node: QueryNode) => Promise<boolean>,
  asksMax = 300,
): Promise<QueryNode> {
  let smallest = node;
  for (let asks = 0, isSmaller = true; isSmaller;) {
    isSmaller = false;
    const length = printQuery(smallest).length;
    const candidates = reductions(smallest)
      .filter((candidate) => printQuery(candidate).length < length)
      .sort((a, b) => printQuery(a).length - printQuery(b).length);
    for (const candidate of candidates) {
      if (asks++ >= asksMax) return smallest;
      if (!(await fails(candidate))) continue;
      smallest = candidate;
      isSmaller = true;
      break;
    }
  }
  return smallest;
}

const leaves: Record<ValueKind, readonly string[]> = {
  scalar: ["1"],
  vector: ["vector(1)", "temperature"],
  matrix: ["temperature[5m]"],
  string: ['""'],
};

/** The queries that are this one with one thing left out. */
function reductions(node: QueryNode): QueryNode[] {
  const { kind, exactness } = node;
  const found: QueryNode[] = leaves[kind].map((leaf) => ({ kind, exactness, parts: [leaf] }));
  found.push(...descendants(node).filter((each) => each.kind === kind));
  node.parts.forEach((part, i) => {
    if (typeof part === "string") return;
    const smaller = "optional" in part ? [""] : reductions(part);
    for (const each of smaller) found.push({ ...node, parts: node.parts.with(i, each) });
  });
  return found;
}

function descendants(node: QueryNode): QueryNode[] {
  return node.parts.flatMap((part) =>
    typeof part === "string" || "optional" in part ? [] : [part, ...descendants(part)],
  );
}
