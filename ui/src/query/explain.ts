/** How the server carried a query out: the operators of its plan, and what each took. */

/** What one thread did for an operator. Times in milliseconds. */
export interface ExplainThread {
  /** Number of the reader; -1 for the thread where queries arrive. */
  reader: number;
  wallMs: number;
  series: number;
  samples: number;
}

/** A node of the plan as the server describes it; its time includes that of its children. */
export interface ExplainNode {
  operator: string;
  detail: string;
  text: string;
  steps: number;
  wallMs: number;
  series: number;
  samples: number;
  /** Set when readers evaluated this part side by side. */
  fragment?: number;
  /** Written more than once and evaluated once. */
  shared?: true;
  threads: ExplainThread[];
  children: ExplainNode[];
}

/** The `stats` object of an answer; times in seconds. */
export interface QueryStats {
  timings: {
    execQueueTime: number;
    queryPreparationTime: number;
    innerEvalTime: number;
    resultSortTime: number;
    execTotalTime: number;
  };
  samples: { totalQueryableSamples: number; samplesRead: number; peakSamples: number };
}

export interface ExplainData {
  stats: QueryStats;
  explain: ExplainNode;
}

/** A line of the tree. */
export interface ExplainRow {
  node: ExplainNode;
  depth: number;
  /** Time in the operator itself, without what it waited for. */
  ownMs: number;
  /** `ownMs` as a part of the whole, 0 to 1. */
  share: number;
}

/** A plan may have thousands of nodes; a page does not show more than these. */
export const explainRowsMax = 500;

/** The tree line by line, parents first. */
export function explainRows(root: ExplainNode): ExplainRow[] {
  const rows: ExplainRow[] = [];
  const waiting: [node: ExplainNode, depth: number][] = [[root, 0]];
  while (waiting.length > 0 && rows.length < explainRowsMax) {
    const [node, depth] = waiting.pop()!;
    const below = node.children.reduce((sum, child) => sum + child.wallMs, 0);
    const ownMs = Math.max(0, node.wallMs - below);
    rows.push({ node, depth, ownMs, share: root.wallMs > 0 ? Math.min(1, ownMs / root.wallMs) : 0 });
    for (const child of node.children.toReversed()) waiting.push([child, depth + 1]);
  }
  return rows;
}
