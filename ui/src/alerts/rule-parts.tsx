/** What alerts and rules show alike. */
import { Link } from "wouter";
import type { Rule, RuleGroup } from "../api/types.ts";
import { formatDuration, humanizeDuration } from "../base/duration.ts";
import { Ago } from "../parts/time.tsx";
import { encodePanels, newPanel } from "../query/url.ts";
import "./alerts.css";

/** A rule's expression, which leads to the query page. */
export function Expression({ query }: { query: string }): React.JSX.Element {
  return (
    <Link
      href={`/query?${encodePanels([newPanel({ expr: query, tab: "graph" })])}`}
      className="expression code"
      title="Open in Query"
    >
      {query}
    </Link>
  );
}

export function RuleError({ rule }: { rule: Rule }): React.JSX.Element | null {
  if (!rule.lastError) return null;
  return <div className="notice bad mono">{rule.lastError}</div>;
}

export function GroupFigures({ group }: { group: RuleGroup }): React.JSX.Element {
  return (
    <span className="dim num group-figures">
      every {formatDuration(group.interval * 1000)} · last <Ago at={group.lastEvaluation} /> · took{" "}
      {humanizeDuration(group.evaluationTime * 1000)}
    </span>
  );
}

/** Groups of the same name live in different files: both together name one. */
export const groupId = (group: RuleGroup): string => `${group.file} ${group.name}`;

export function GroupTitle({ group }: { group: RuleGroup }): React.JSX.Element {
  return (
    <>
      {group.name} <span className="dim group-file">{group.file}</span>
    </>
  );
}
