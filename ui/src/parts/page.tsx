import { useEffect, type ReactNode } from "react";
import { pageTitle } from "../base/page-globals.ts";
import "./parts.css";

/** A page's first line: its name and what steers it. Also names the browser's tab. */
export function PageHead({ title, children }: { title: string; children?: ReactNode }): React.JSX.Element {
  useEffect(() => {
    document.title = `${title} – ${pageTitle}`;
  }, [title]);
  return (
    <div className="page-head">
      <h1>{title}</h1>
      {children}
    </div>
  );
}
