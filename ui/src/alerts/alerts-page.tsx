/** Alerts: what fires, what is about to, and what is being watched. */
import { useState } from "react";
import { Link } from "wouter";
import { useHasAlertmanager } from "../alertmanager/presence.tsx";
import { useApi } from "../api/use-api.ts";
import type { Alert, AlertingRule, Rule, RuleGroup } from "../api/types.ts";
import { formatDuration } from "../base/duration.ts";
import { Fold, FoldMark } from "../parts/fold.tsx";
import { LabelTags } from "../parts/labels.tsx";
import { Several } from "../parts/more.tsx";
import { Empty, Loaded } from "../parts/notice.tsx";
import { PageHead } from "../parts/page.tsx";
import { useSearch, useUrlParam } from "../parts/search.tsx";
import { State, Tally, toneOf } from "../parts/state.tsx";
import { Ago } from "../parts/time.tsx";
import { Expression, GroupFigures, groupId, GroupTitle, RuleError } from "./rule-parts.tsx";
import { alertStates, byUrgency, countAlertStates, filterGroups, type AlertState } from "./rules.ts";

const refreshMs = 5000;

type OnPick = (pair: string) => void;

export default function AlertsPage(): React.JSX.Element {
  const query = useApi<{ groups: RuleGroup[] | null }>("/rules", { type: "alert" }, { refreshMs });
  const { input, search, setSearch } = useSearch();
  const [hiddenParam, setHidden] = useUrlParam("hide");
  const hidden = hiddenParam.split(",").filter((state) => state !== "");
  const groups = query.data?.data.groups ?? [];
  const counts = countAlertStates(groups);
  const isShown = (rule: Rule): rule is AlertingRule =>
    rule.type === "alerting" && !hidden.includes(rule.state);
  const shown = filterGroups(groups, isShown, search);
  const toggle = (state: AlertState): void =>
    setHidden(
      (hidden.includes(state) ? hidden.filter((each) => each !== state) : [...hidden, state]).join(","),
    );

  return (
    <>
      <PageHead title="Alerts">
        <span className="row">
          {alertStates
            .filter((state) => counts[state] > 0 || state !== "unknown")
            .map((state) => (
              <label key={state} className="state-filter">
                <input type="checkbox" checked={!hidden.includes(state)} onChange={() => toggle(state)} />
                <State name={state} /> <span className="num dim">{counts[state]}</span>
              </label>
            ))}
        </span>
        {input}
      </PageHead>
      <Loaded query={query} what="the alerting rules">
        {() =>
          groups.length === 0 ? (
            <Empty title="There are no alerting rules">
              <p>
                Alerts come from the files under <code>rule_files</code> in the configuration. A group there
                with an <code>alert:</code> and an <code>expr:</code> is all it takes; reload, and it is
                listed here.
              </p>
            </Empty>
          ) : shown.length === 0 ? (
            <Empty title="No alert fits the filter" />
          ) : (
            <Several items={shown} what="groups">
              {(some) => (
                <>
                  {some.map(({ group, rules }) => (
                    <Fold
                      key={groupId(group)}
                      id={`alerts ${groupId(group)}`}
                      title={<GroupTitle group={group} />}
                      summary={
                        <>
                          <StateTallies rules={rules} />
                          <GroupFigures group={group} />
                        </>
                      }
                    >
                      {byUrgency(rules).map((rule, index) => (
                        <AlertRule key={`${rule.name} ${index}`} rule={rule} onPick={setSearch} />
                      ))}
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

function StateTallies({ rules }: { rules: readonly AlertingRule[] }): React.JSX.Element {
  return (
    <>
      {alertStates.map((state) => {
        const count = rules.filter((rule) => rule.state === state).length;
        return count === 0 || state === "inactive" ? null : (
          <Tally key={state} tone={toneOf(state)}>
            {count} {state}
          </Tally>
        );
      })}
    </>
  );
}

/** A firing rule shows its alerts unasked, others on a click. */
function AlertRule({ rule, onPick }: { rule: AlertingRule; onPick: OnPick }): React.JSX.Element {
  const [chosen, setOpen] = useState<boolean>();
  const isOpen = chosen ?? (rule.state === "firing" || rule.state === "pending");
  return (
    <div className={`alert-rule ${rule.state}`}>
      <button type="button" className="fold-head" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        <FoldMark isOpen={isOpen} />
        <span className="rule-state">
          <State name={rule.state} />
        </span>
        <span className="fold-title">{rule.name}</span>
        {rule.alerts.length > 0 && <span className="num dim">{rule.alerts.length} active</span>}
        {rule.health === "err" && <Tally tone="bad">cannot be evaluated</Tally>}
      </button>
      {isOpen && (
        <div className="rule-body">
          <RuleError rule={rule} />
          <Expression query={rule.query} />
          <div className="row">
            {rule.duration > 0 && <span className="dim">for {formatDuration(rule.duration * 1000)}</span>}
            {(rule.keepFiringFor ?? 0) > 0 && (
              <span className="dim">keep firing for {formatDuration(rule.keepFiringFor! * 1000)}</span>
            )}
            <LabelTags labels={rule.labels ?? {}} onPick={onPick} />
          </div>
          <Annotations annotations={rule.annotations ?? {}} />
          {rule.alerts.length > 0 && <ActiveAlerts alerts={rule.alerts} onPick={onPick} />}
        </div>
      )}
    </div>
  );
}

function Annotations({
  annotations,
}: {
  annotations: Readonly<Record<string, string>>;
}): React.JSX.Element | null {
  const entries = Object.entries(annotations);
  if (entries.length === 0) return null;
  return (
    <dl className="annotations">
      {entries.map(([name, text]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>
            {/^https?:\/\/\S+$/.test(text) ? (
              <a href={text} target="_blank" rel="noreferrer">
                {text}
              </a>
            ) : (
              text
            )}
          </dd>
        </div>
      ))}
    </dl>
  );
}

function ActiveAlerts({ alerts, onPick }: { alerts: readonly Alert[]; onPick: OnPick }): React.JSX.Element {
  const hasAlertmanager = useHasAlertmanager();
  return (
    <Several items={alerts} what="alerts">
      {(shown) => (
        <table className="grid active-alerts">
          <thead>
            <tr>
              <th style={{ width: 90 }}>State</th>
              <th>Labels and annotations</th>
              <th className="num">Active since</th>
              <th className="num">Value</th>
              {hasAlertmanager && <th className="num">Actions</th>}
            </tr>
          </thead>
          <tbody>
            {shown.map((alert) => (
              <tr key={JSON.stringify(alert.labels)}>
                <td>
                  <State name={alert.state} />
                </td>
                <td>
                  <LabelTags labels={alert.labels} hide={["alertname"]} onPick={onPick} />
                  <Annotations annotations={alert.annotations} />
                </td>
                <td className="num">
                  {alert.activeAt !== undefined && <Ago at={alert.activeAt} />}
                  {alert.keepFiringSince !== undefined && <div className="dim">kept firing</div>}
                </td>
                <td className="num">{readableValue(alert.value)}</td>
                {hasAlertmanager && (
                  <td className="num">
                    <Link
                      href={`/alertmanager/silences?new=${encodeURIComponent(JSON.stringify(alert.labels))}`}
                    >
                      Silence
                    </Link>
                  </td>
                )}
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Several>
  );
}

/** The API writes 1e+00 for 1; whatever is no number stays as it is. */
function readableValue(text: string): string {
  const value = Number(text);
  return Number.isFinite(value) ? String(value) : text;
}
