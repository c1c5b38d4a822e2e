/** TSDB status: how much is in memory, and what takes the room. */
import { Link } from "wouter";
import { useApi } from "../api/use-api.ts";
import type { TsdbData } from "../api/types.ts";
import { humanizeDuration } from "../base/duration.ts";
import { formatLabelName, formatLabels } from "../base/labels.ts";
import { formatBytes, formatCount } from "../base/unit.ts";
import { Loaded } from "../parts/notice.tsx";
import { PageHead } from "../parts/page.tsx";
import { Time } from "../parts/time.tsx";
import { useUrlParam } from "../parts/search.tsx";
import { Choice } from "../parts/choice.tsx";
import { encodePanels, newPanel } from "../query/url.ts";
import "./status.css";

const limits = ["10", "30", "100"] as const;

export default function TsdbPage(): React.JSX.Element {
  const [limitParam, setLimit] = useUrlParam("limit");
  const limit = limits.find((each) => each === limitParam) ?? "10";
  const query = useApi<TsdbData>("/status/tsdb", { limit }, { refreshMs: 15_000 });
  return (
    <>
      <PageHead title="TSDB">
        <Choice
          label="Rows"
          value={limit}
          options={limits.map((value) => ({ value, label: `top ${value}` }))}
          onChange={(value) => setLimit(value === "10" ? "" : value)}
        />
      </PageHead>
      <Loaded query={query} what="the TSDB status">
        {({ data }) => (
          <>
            <HeadStats head={data.headStats} />
            <div className="columns">
              <Top
                title="Series by metric name"
                unit="series"
                rows={data.seriesCountByMetricName}
                exprOf={(name) => formatLabels({ __name__: name })}
              />
              <Top title="Series by label pair" unit="series" rows={data.seriesCountByLabelValuePair} />
              <Top
                title="Values by label name"
                unit="values"
                rows={data.labelValueCountByLabelName}
                exprOf={(name) => `count by (${formatLabelName(name)}) ({${formatLabelName(name)}!=""})`}
              />
              <Top
                title="Memory by label name"
                unit="bytes"
                rows={data.memoryInBytesByLabelName}
                format={formatBytes}
              />
            </div>
          </>
        )}
      </Loaded>
    </>
  );
}

function HeadStats({ head }: { head: TsdbData["headStats"] }): React.JSX.Element {
  // An empty head has its bounds the wrong way round.
  const isEmpty = head.maxTime < head.minTime;
  return (
    <section className="panel">
      <h2 className="panel-title">Head: the newest data, in memory</h2>
      <dl className="figures">
        <Figure name="Series">{formatCount(head.numSeries)}</Figure>
        <Figure name="Chunks">{formatCount(head.chunkCount)}</Figure>
        {head.numLabelPairs !== undefined && (
          <Figure name="Label pairs">{formatCount(head.numLabelPairs)}</Figure>
        )}
        <Figure name="From">{isEmpty ? "empty" : <Time at={head.minTime} />}</Figure>
        <Figure name="To">{isEmpty ? "empty" : <Time at={head.maxTime} />}</Figure>
        <Figure name="Spans">{isEmpty ? "–" : humanizeDuration(head.maxTime - head.minTime)}</Figure>
      </dl>
    </section>
  );
}

function Figure({ name, children }: { name: string; children: React.ReactNode }): React.JSX.Element {
  return (
    <div>
      <dt className="dim">{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

interface TopProps {
  title: string;
  unit: string;
  rows: readonly { name: string; value: number }[] | null;
  format?: (value: number) => string;
  /** A query that shows what is behind a name. */
  exprOf?: (name: string) => string;
}

/** The largest with a bar each, so that one that stands out does so. */
function Top({ title, unit, rows, format = formatCount, exprOf }: TopProps): React.JSX.Element {
  const most = Math.max(...(rows ?? []).map(({ value }) => value), 1);
  return (
    <section className="panel top">
      <h2 className="panel-title">{title}</h2>
      <table className="grid">
        <thead>
          <tr>
            <th>Name</th>
            <th />
            <th className="num">{unit}</th>
          </tr>
        </thead>
        <tbody>
          {(rows ?? []).map(({ name, value }) => (
            <tr key={name}>
              <td className="mono anywhere">
                {exprOf === undefined ? (
                  name
                ) : (
                  <Link href={`/query?${encodePanels([newPanel({ expr: exprOf(name) })])}`}>{name}</Link>
                )}
              </td>
              <td className="top-bar">
                <i style={{ width: `${(value / most) * 100}%` }} />
              </td>
              <td className="num">{format(value)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {(rows ?? []).length === 0 && <div className="more dim">Nothing yet.</div>}
    </section>
  );
}
