/** What table and graph have in common: the line that says how it went, and the server's remarks. */
import { Button } from "@mantine/core";
import type { ReactNode } from "react";
import type { RequestError } from "../api/failure.ts";
import { humanizeDuration } from "../base/duration.ts";
import { Notice } from "../parts/notice.tsx";
import { useElapsed, type Running } from "./run.ts";

interface AnswerBase {
  warnings: string[];
  infos: string[];
  tookMs: number;
}

interface Props<T extends AnswerBase> {
  running: Running<T>;
  hasExpr: boolean;
  /** What the line says of an answer. */
  summary: (answer: T) => ReactNode;
  children: (answer: T) => ReactNode;
}

/** A query faster than this shows no clock: it would only flicker. */
const quietMs = 300;

export function Result<T extends AnswerBase>({
  running,
  hasExpr,
  summary,
  children,
}: Props<T>): React.JSX.Element {
  const { query, wasCancelled, cancel } = running;
  const { data, error, isFetching } = query;
  const elapsedMs = useElapsed(isFetching);
  const isSlow = isFetching && elapsedMs > quietMs;
  if (!hasExpr) {
    return (
      <div className="query-empty">
        <p>Write an expression above and press Enter.</p>
        <p className="dim">
          For a start: <code>up</code> shows the targets, <code>{'{__name__=~"node_.+"}'}</code> what the
          machine reports.
        </p>
      </div>
    );
  }
  return (
    <div className="result" aria-busy={isFetching}>
      <div className={isSlow ? "progress running" : "progress"} />
      <div className="result-line">
        {isSlow ? (
          <>
            <span className="num">Running for {(elapsedMs / 1000).toFixed(1)} s</span>
            <Button size="compact-xs" variant="default" onClick={cancel}>
              Cancel
            </Button>
          </>
        ) : wasCancelled ? (
          <span>Cancelled{data === undefined ? "" : "; below is the answer before"}.</span>
        ) : error !== null ? (
          <span>No answer</span>
        ) : (
          data !== undefined && (
            <>
              {summary(data)}
              <span className="dim num">{humanizeDuration(data.tookMs)}</span>
            </>
          )
        )}
      </div>
      <div className="result-notes">
        {error !== null && !wasCancelled && <QueryError error={error} />}
        {error === null &&
          data?.warnings.map((text) => <Note key={text} tone="warn" name="Warning" text={text} />)}
        {error === null && data?.infos.map((text) => <Note key={text} tone="info" name="Note" text={text} />)}
      </div>
      <div className={isSlow || wasCancelled ? "result-body stale" : "result-body"}>
        {data !== undefined && error === null && children(data)}
      </div>
    </div>
  );
}

function Note({
  tone,
  name,
  text,
}: {
  tone: "warn" | "info";
  name: string;
  text: string;
}): React.JSX.Element {
  return (
    <Notice tone={tone}>
      {/* PromQL's own remarks say themselves what they are. */}
      {!text.startsWith("PromQL") && <strong>{name}: </strong>}
      {text}
    </Notice>
  );
}

const errorNames: Record<string, string> = {
  bad_data: "The expression is not valid.",
  execution: "The query failed.",
  timeout: "The query took too long.",
  canceled: "The query was cancelled by the server.",
};

function errorTitle({ kind, code }: RequestError): string {
  if (kind === "unreachable") return "The query did not reach the server.";
  if (kind === "not ready") return "The server is not ready for queries.";
  return errorNames[code] ?? `Error (${code}).`;
}

function QueryError({ error }: { error: RequestError }): React.JSX.Element {
  return (
    <Notice tone="bad">
      <strong>{errorTitle(error)}</strong>
      {"\n"}
      <span className="mono">{error.message}</span>
    </Notice>
  );
}
