/** Runtime and build: what runs here. */
import { useApi } from "../api/use-api.ts";
import { Loaded } from "../parts/notice.tsx";
import { PageHead } from "../parts/page.tsx";
import { Ago, Time } from "../parts/time.tsx";
import { State } from "../parts/state.tsx";
import "./status.css";

type Info = Record<string, string | number | boolean>;

const names: Record<string, string> = {
  startTime: "Started",
  CWD: "Working directory",
  hostname: "Host",
  serverTime: "Server's time",
  reloadConfigSuccess: "Last configuration reload",
  lastConfigTime: "Configuration loaded",
  corruptionCount: "WAL corruptions",
  goroutineCount: "Goroutines",
  storageRetention: "Storage retention",
  buildUser: "Built by",
  buildDate: "Built on",
  goVersion: "Runtime version",
  version: "Version",
  revision: "Revision",
  branch: "Branch",
};

export default function RuntimePage(): React.JSX.Element {
  const runtime = useApi<Info>("/status/runtimeinfo", undefined, { refreshMs: 10_000 });
  const build = useApi<Info>("/status/buildinfo");
  return (
    <>
      <PageHead title="Runtime & build" />
      <div className="columns">
        <Loaded query={runtime} what="the runtime information">
          {({ data }) => <InfoTable title="Runtime" info={data} />}
        </Loaded>
        <Loaded query={build} what="the build information">
          {({ data }) => <InfoTable title="Build" info={data} />}
        </Loaded>
      </div>
    </>
  );
}

function InfoTable({ title, info }: { title: string; info: Info }): React.JSX.Element {
  return (
    <section className="panel">
      <h2 className="panel-title">{title}</h2>
      <table className="grid">
        <tbody>
          {Object.entries(info).map(([key, value]) => (
            <tr key={key}>
              <td className="dim nowrap" style={{ width: "40%" }}>
                {names[key] ?? key}
              </td>
              <td className="anywhere">
                <Value name={key} value={value} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Value({ name, value }: { name: string; value: string | number | boolean }): React.JSX.Element {
  if (name === "reloadConfigSuccess")
    return <State name={value === true ? "succeeded" : "failed"} tone={value === true ? "ok" : "bad"} />;
  if (typeof value === "string" && /^\d{4}-\d\d-\d\dT/.test(value)) {
    return (
      <>
        <Time at={value} />{" "}
        {name !== "serverTime" && (
          <span className="dim">
            (<Ago at={value} />)
          </span>
        )}
      </>
    );
  }
  return value === "" ? <span className="dim">not set</span> : <>{String(value)}</>;
}
