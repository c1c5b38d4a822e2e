/** Rules: recording and alerting, and whether they can be evaluated. */
import { useApi } from "../api/use-api.ts";
import type { Rule, RuleGroup } from "../api/types.ts";
import { formatDuration, humanizeDuration } from "../base/duration.ts";
import { Choice } from "../parts/choice.tsx";
import { Fold } from "../parts/fold.tsx";
import { LabelTags } from "../parts/labels.tsx";
import { Several } from "../parts/more.tsx";
import { Empty, Loaded } from "../parts/notice.tsx";
import { PageHead } from "../parts/page.tsx";
import { useSearch, useUrlParam } from "../parts/search.tsx";
import { State, Tally } from "../parts/state.tsx";
import { Ago } from "../parts/time.tsx";
import { Expression, GroupFigures, groupId, GroupTitle, RuleError } from "./rule-parts.tsx";
import { filterGroups } from "./rules.ts";

const refreshMs = 5000;

type HealthFilter = "all" | Rule["health"];

export default function RulesPage(): React.JSX.Element {
  const query = useApi<{ groups: RuleGroup[] | null }>("/rules", undefined, { refreshMs });
  const { input, search } = useSearch();
  const [healthParam, setHealth] = useUrlParam("health");
  const health = (["ok", "err", "unknown"].includes(healthParam) ? healthParam : "all") as HealthFilter;
  const groups = query.data?.data.groups ?? [];
  const isShown = (rule: Rule): rule is Rule => health === "all" || rule.health === health;
  const shown = filterGroups(groups, isShown, search);
  return (
    <>
      <PageHead title="Rules">
        <Choice
          label="Health"
          value={health}
          options={(["all", "ok", "err", "unknown"] as const).map((value) => ({
            value,
            label: value === "err" ? "error" : value,
          }))}
          onChange={(value) => setHealth(value === "all" ? "" : value)}
        />
        {input}
      </PageHead>
      <Loaded query={query} what="the rules">
        {() =>
          groups.length === 0 ? (
            <Empty title="There are no rules">
              <p>
                Name rule files under <code>rule_files</code> in the configuration and reload. Recording rules
                compute series ahead of time, alerting rules watch for trouble.
              </p>
            </Empty>
          ) : shown.length === 0 ? (
            <Empty title="No rule fits the filter" />
          ) : (
            <Several items={shown} what="groups">
              {(some) => (
                <>
                  {some.map(({ group, rules }) => (
                    <Fold
                      key={groupId(group)}
                      id={`rules ${groupId(group)}`}
                      title={<GroupTitle group={group} />}
                      summary={
                        <>
                          {rules.some((rule) => rule.health === "err") && <Tally tone="bad">error</Tally>}
                          <GroupFigures group={group} />
                        </>
                      }
                    >
                      <table className="grid rules">
                        <thead>
                          <tr>
                            <th style={{ width: "22%" }}>Rule</th>
                            <th style={{ width: 80 }}>Health</th>
                            <th>Expression</th>
                            <th className="num" style={{ width: 96 }}>
                              Last run
                            </th>
                            <th className="num" style={{ width: 80 }}>
                              Took
                            </th>
                          </tr>
                        </thead>
                        <tbody>
                          {rules.map((rule, index) => (
                            <RuleRow key={`${rule.name} ${index}`} rule={rule} />
                          ))}
                        </tbody>
                      </table>
                    </Fold>
                  ))}
                </>
              )}
            </Several>
          )
        }
      </Loaded>
    </>
  );
}

function RuleRow({ rule }: { rule: Rule }): React.JSX.Element {
  return (
    <tr>
      <td>
        <div className="fold-title">{rule.name}</div>
        <div className="dim">
          {rule.type}
          {rule.type === "alerting" && rule.duration > 0 && `, for ${formatDuration(rule.duration * 1000)}`}
        </div>
      </td>
      <td>
        <State
          name={rule.health === "err" ? "error" : rule.health}
          tone={rule.health === "ok" ? "ok" : rule.health === "err" ? "bad" : "none"}
        />
      </td>
      <td>
        <Expression query={rule.query} />
        {Object.keys(rule.labels ?? {}).length > 0 && (
          <div className="rule-labels">
            <LabelTags labels={rule.labels!} />
          </div>
        )}
        <RuleError rule={rule} />
      </td>
      <td className="num">
        <Ago at={rule.lastEvaluation} />
      </td>
      <td className="num">{humanizeDuration(rule.evaluationTime * 1000)}</td>
    </tr>
  );
}
