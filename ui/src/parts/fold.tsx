import type { ReactNode } from "react";
import { foldedSetting } from "../base/settings.ts";
import "./parts.css";

interface Props {
  /** Names the fold among all folds of all pages; the browser remembers it when folded. */
  id: string;
  title: ReactNode;
  /** Behind the title. */
  summary?: ReactNode;
  children: ReactNode;
}

/** A titled panel that can be folded up. */
export function Fold({ id, title, summary, children }: Props): React.JSX.Element {
  const isOpen = !foldedSetting.use().includes(id);
  const toggle = (): void => setFolded([id], isOpen);
  return (
    <section className="panel">
      <button type="button" className="fold-head" aria-expanded={isOpen} onClick={toggle}>
        <FoldMark isOpen={isOpen} />
        <span className="fold-title">{title}</span>
        {summary}
      </button>
      {isOpen && <div className="fold-body">{children}</div>}
    </section>
  );
}

export function FoldMark({ isOpen }: { isOpen: boolean }): React.JSX.Element {
  return (
    <svg
      className={`fold-mark ${isOpen ? "open" : ""}`}
      viewBox="0 0 10 10"
      width="10"
      height="10"
      aria-hidden="true"
    >
      <path d="M3 1l4 4-4 4" fill="none" stroke="currentColor" strokeWidth="1.6" />
    </svg>
  );
}

/** Folds or unfolds several at once. */
export function setFolded(ids: readonly string[], folded: boolean): void {
  const rest = foldedSetting.get().filter((id) => !ids.includes(id));
  foldedSetting.set(folded ? [...rest, ...ids] : rest);
}
