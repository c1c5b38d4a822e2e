/** What a page says when it has something else to say than its data. */
import { Button } from "@mantine/core";
import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import type { RequestError } from "../api/failure.ts";
import "./parts.css";

export function Notice({
  tone = "info",
  children,
}: {
  tone?: "info" | "warn" | "bad";
  children: ReactNode;
}): React.JSX.Element {
  return (
    <div className={`notice ${tone}`} role={tone === "bad" ? "alert" : "status"}>
      {children}
    </div>
  );
}

/** `what` completes "Could not load …". */
export function Failure({
  error,
  what,
  onRetry,
}: {
  error: RequestError;
  what: string;
  onRetry?: () => void;
}): React.JSX.Element {
  return (
    <Notice tone="bad">
      <div className="row">
        <span className="grow">
          <strong>Could not load {what}.</strong> {failureText(error)}
        </span>
        {onRetry !== undefined && (
          <Button size="compact-xs" variant="default" onClick={onRetry}>
            Try again
          </Button>
        )}
      </div>
    </Notice>
  );
}

function failureText(error: RequestError): string {
  if (error.kind === "missing") return "This server does not offer it.";
  if (error.kind === "refused") return `${error.code}: ${error.message}`;
  return error.message;
}

/** An empty page says what to do next. */
export function Empty({ title, children }: { title: string; children?: ReactNode }): React.JSX.Element {
  return (
    <div className="panel empty">
      <h2>{title}</h2>
      {children}
    </div>
  );
}

export function Skeleton({ lines = 6 }: { lines?: number }): React.JSX.Element {
  return (
    <div className="panel skeleton" aria-busy="true" aria-label="Loading">
      {Array.from({ length: lines }, (_, index) => (
        <i key={index} style={{ width: `${90 - ((index * 29) % 50)}%` }} />
      ))}
    </div>
  );
}

interface LoadedProps<T> {
  query: UseQueryResult<T, RequestError>;
  what: string;
  children: (data: T) => ReactNode;
}

/** Shows data as soon and as long as there are any; a later failure stands above them instead of replacing them. */
export function Loaded<T>({ query, what, children }: LoadedProps<T>): React.JSX.Element {
  const { data, error, refetch } = query;
  return (
    <div className="stack">
      {error !== null && <Failure error={error} what={what} onRetry={() => void refetch()} />}
      {data === undefined ? error === null && <Skeleton /> : children(data)}
    </div>
  );
}
