/** The Alertmanager's alert groups: what notifications are made of. */
import { Link } from "wouter";
import { alertmanagerPath, type AlertGroup, type ManagedAlert } from "../api/alertmanager.ts";
import { useJson } from "../api/use-api.ts";
import { matchesSearch, searchTexts, type Labels } from "../base/labels.ts";
import { Fold } from "../parts/fold.tsx";
import { LabelTags } from "../parts/labels.tsx";
import { Several } from "../parts/more.tsx";
import { Empty, Loaded } from "../parts/notice.tsx";
import { PageHead } from "../parts/page.tsx";
import { useSearch, useUrlParam } from "../parts/search.tsx";
import { State } from "../parts/state.tsx";
import { Ago } from "../parts/time.tsx";
import "./alertmanager.css";
import { NeedsAlertmanager } from "./presence.tsx";

const refreshMs = 5000;

const switches = [
  ["silenced", "Silenced"],
  ["inhibited", "Inhibited"],
] as const;

export default function GroupsPage(): React.JSX.Element {
  const [hideParam, setHide] = useUrlParam("hide");
  const hidden = hideParam.split(",").filter((each) => each !== "");
  const params = Object.fromEntries(switches.map(([name]) => [name, String(!hidden.includes(name))]));
  const query = useJson<AlertGroup[]>(`${alertmanagerPath}/alerts/groups`, params, { refreshMs });
  const { input, search } = useSearch();
  return (
    <>
      <PageHead title="Alert groups">
        <span className="row">
          <span className="dim">Also show</span>
          {switches.map(([name, title]) => (
            <label key={name} className="switch">
              <input
                type="checkbox"
                checked={!hidden.includes(name)}
                onChange={() =>
                  setHide(
                    (hidden.includes(name) ? hidden.filter((each) => each !== name) : [...hidden, name]).join(
                      ",",
                    ),
                  )
                }
              />
              {title}
            </label>
          ))}
        </span>
        {input}
      </PageHead>
      <NeedsAlertmanager>
        <Loaded query={query} what="the alert groups">
          {(groups) => {
            const shown = groups
              .map((group) => ({ ...group, alerts: group.alerts.filter((alert) => fits(alert, search)) }))
              .filter(({ alerts }) => alerts.length > 0);
            if (shown.length === 0) {
              return (
                <Empty title={groups.length === 0 ? "No alerts: all is quiet" : "No alert fits the search"}>
                  <p>
                    What rules decide is under <Link href="/alerts">Alerts</Link>; here is what has been
                    handed on for notification.
                  </p>
                </Empty>
              );
            }
            return (
              <>
                {shown.map((group) => (
                  <Fold
                    key={group.receiver.name + JSON.stringify(group.labels)}
                    id={`groups ${group.receiver.name} ${JSON.stringify(group.labels)}`}
                    title={
                      Object.keys(group.labels).length === 0 ? (
                        "Not grouped"
                      ) : (
                        <LabelTags labels={group.labels} />
                      )
                    }
                    summary={
                      <>
                        <span className="dim">to {group.receiver.name}</span>
                        <span className="dim num">
                          {group.alerts.length === 1 ? "1 alert" : `${group.alerts.length} alerts`}
                        </span>
                      </>
                    }
                  >
                    <AlertTable alerts={group.alerts} groupLabels={group.labels} />
                  </Fold>
                ))}
              </>
            );
          }}
        </Loaded>
      </NeedsAlertmanager>
    </>
  );
}

const fits = (alert: ManagedAlert, search: string): boolean =>
  matchesSearch(search, [...searchTexts(alert.labels), ...Object.values(alert.annotations)]);

function AlertTable({
  alerts,
  groupLabels,
}: {
  alerts: readonly ManagedAlert[];
  groupLabels: Labels;
}): React.JSX.Element {
  return (
    <Several items={alerts} what="alerts">
      {(shown) => (
        <table className="grid">
          <thead>
            <tr>
              <th style={{ width: 110 }}>State</th>
              <th>Labels and annotations</th>
              <th className="num">Since</th>
              <th className="num">Actions</th>
            </tr>
          </thead>
          <tbody>
            {shown.map((alert) => (
              <tr key={alert.fingerprint}>
                <td>
                  <State name={alert.status.state} tone={alert.status.state === "active" ? "bad" : "none"} />
                  <Suppression alert={alert} />
                </td>
                <td>
                  <LabelTags labels={alert.labels} hide={Object.keys(groupLabels)} />
                  {Object.entries(alert.annotations).map(([name, text]) => (
                    <div key={name} className="anno">
                      <span className="dim">{name}</span> {text}
                    </div>
                  ))}
                </td>
                <td className="num">
                  <Ago at={alert.startsAt} />
                </td>
                <td className="num">
                  <AlertLinks alert={alert} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Several>
  );
}

function Suppression({ alert: { status } }: { alert: ManagedAlert }): React.JSX.Element {
  return (
    <div className="dim">
      {status.silencedBy.map((id) => (
        <div key={id}>
          <Link href={`/alertmanager/silences?search=${encodeURIComponent(id)}`}>by a silence</Link>
        </div>
      ))}
      {status.inhibitedBy.length > 0 && <div>by another alert</div>}
      {(status.mutedBy ?? []).length > 0 && <div>by a time interval</div>}
    </div>
  );
}

function AlertLinks({ alert }: { alert: ManagedAlert }): React.JSX.Element {
  const source = alert.generatorURL ?? "";
  return (
    <>
      {/^https?:\/\//.test(source) && (
        <>
          <a href={source} target="_blank" rel="noreferrer">
            Source
          </a>
          {" · "}
        </>
      )}
      <Link href={`/alertmanager/silences?new=${encodeURIComponent(JSON.stringify(alert.labels))}`}>
        Silence
      </Link>
    </>
  );
}
