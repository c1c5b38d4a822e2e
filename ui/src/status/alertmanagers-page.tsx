/** Alertmanager discovery: where alerts are sent. */
import { useApi } from "../api/use-api.ts";
import type { AlertmanagersData } from "../api/types.ts";
import { Empty, Loaded } from "../parts/notice.tsx";
import { PageHead } from "../parts/page.tsx";
import { State } from "../parts/state.tsx";
import "./status.css";

export default function AlertmanagersPage(): React.JSX.Element {
  const query = useApi<AlertmanagersData>("/alertmanagers", undefined, { refreshMs: 10_000 });
  return (
    <>
      <PageHead title="Alertmanager discovery" />
      <Loaded query={query} what="the Alertmanagers">
        {({ data }) => {
          const rows = [
            ...(data.activeAlertmanagers ?? []).map(({ url }) => ({ url, state: "active" })),
            ...(data.droppedAlertmanagers ?? []).map(({ url }) => ({ url, state: "dropped" })),
          ];
          if (rows.length === 0) {
            return (
              <Empty title="Alerts are sent nowhere">
                <p>
                  Name Alertmanagers under <code>alerting: alertmanagers:</code> in the configuration, or
                  start the all-in-one, which brings one along.
                </p>
              </Empty>
            );
          }
          return (
            <div className="panel">
              <table className="grid">
                <thead>
                  <tr>
                    <th style={{ width: 110 }}>State</th>
                    <th>Address</th>
                  </tr>
                </thead>
                <tbody>
                  {rows.map(({ url, state }) => (
                    <tr key={state + url}>
                      <td>
                        <State name={state} />
                      </td>
                      <td className="mono anywhere">{url}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          );
        }}
      </Loaded>
    </>
  );
}
