/** How the server carried a query out, as a tree with the time of each operator. */
import type { Answer } from "../api/http.ts";
import { formatCount } from "../base/unit.ts";
import { humanizeDuration } from "../base/duration.ts";
import {
  type ExplainData,
  type ExplainNode,
  type ExplainRow,
  type QueryStats,
  explainRows,
  explainRowsMax,
} from "./explain.ts";
import "./explain.css";
import { Result } from "./result.tsx";
import { useExplain } from "./run.ts";
import type { PanelState } from "./url.ts";

export default function ExplainView({
  panel,
  id,
  run,
}: {
  panel: PanelState;
  id: number;
  run: number;
}): React.JSX.Element {
  const running = useExplain(panel, id, run);
  return (
    <Result
      running={running}
      hasExpr={panel.expr !== ""}
      summary={({ data }: Answer<ExplainData>) => <Summary stats={data.stats} />}
    >
      {({ data }) => <Tree rows={explainRows(data.explain)} />}
    </Result>
  );
}

const duration = (seconds: number): string => humanizeDuration(seconds * 1000);

function Summary({ stats: { timings, samples } }: { stats: QueryStats }): React.JSX.Element {
  return (
    <>
      <span className="num">{formatCount(samples.totalQueryableSamples)} samples evaluated</span>
      <span className="dim num">{formatCount(samples.samplesRead)} read</span>
      <span className="dim num">{formatCount(samples.peakSamples)} at most in memory</span>
      <span className="dim num">waited {duration(timings.execQueueTime)}</span>
      <span className="dim num">found series in {duration(timings.queryPreparationTime)}</span>
      <span className="dim num">evaluated in {duration(timings.innerEvalTime)}</span>
    </>
  );
}

function Tree({ rows }: { rows: ExplainRow[] }): React.JSX.Element {
  return (
    <div className="explain">
      <table>
        <thead>
          <tr>
            <th>Operator</th>
            <th>Own time</th>
            <th className="num">Total</th>
            <th className="num">Series</th>
            <th className="num">Samples</th>
            <th>Where</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row, index) => (
            <Line key={index} {...row} />
          ))}
        </tbody>
      </table>
      {rows.length === explainRowsMax && (
        <p className="dim">Only the first {explainRowsMax} operators are shown.</p>
      )}
    </div>
  );
}

function Line({ node, depth, ownMs, share }: ExplainRow): React.JSX.Element {
  return (
    <tr>
      <td className="explain-operator" style={{ paddingLeft: 12 + depth * 16 }}>
        <strong>{node.detail === "" ? node.operator : node.detail}</strong>
        {node.shared === true && <span className="dim"> written more than once</span>}
        <code title={node.text}>{node.text}</code>
      </td>
      <td className="explain-time">
        <span className="explain-bar" style={{ width: `${share * 100}%` }} />
        <span className="num">{humanizeDuration(ownMs)}</span>
      </td>
      <td className="num">{humanizeDuration(node.wallMs)}</td>
      <td className="num">{formatCount(node.series)}</td>
      <td className="num">{formatCount(node.samples)}</td>
      <td className="dim" title={threadTimes(node)}>
        {whereOf(node)}
      </td>
    </tr>
  );
}

function threadName(reader: number): string {
  return reader < 0 ? "main" : `reader ${reader}`;
}

function whereOf({ threads }: ExplainNode): string {
  const readers = new Set(threads.map(({ reader }) => reader));
  if (readers.size === 0) return "";
  return readers.size === 1 ? threadName([...readers][0]!) : `${readers.size} readers`;
}

function threadTimes({ threads }: ExplainNode): string {
  return threads
    .map(
      ({ reader, wallMs, series }) => `${threadName(reader)}: ${humanizeDuration(wallMs)}, ${series} series`,
    )
    .join("\n");
}
