/** Query: any number of panels, all of their state in the address. */
import { Button } from "@mantine/core";
import { useRef } from "react";
import { useLocation, useSearch } from "wouter";
import { PageHead } from "../parts/page.tsx";
import { ClockWarning } from "./clock-warning.tsx";
import { Panel } from "./panel.tsx";
import "./query.css";
import { decodePanels, encodePanels, newPanel, type PanelState } from "./url.ts";

export default function QueryPage(): React.JSX.Element {
  const search = useSearch();
  const [, navigate] = useLocation();
  const panels = decodePanels(search);
  const ids = usePanelIds(panels.length);

  const show = (next: readonly PanelState[]): void => navigate(`/query?${encodePanels(next)}`);
  const replace = (index: number, panel: PanelState): void =>
    show(panels.map((each, at) => (at === index ? panel : each)));
  const insert = (index: number, panel: PanelState): void => {
    ids.insert(index);
    show(panels.toSpliced(index, 0, panel));
  };
  const remove = (index: number): void => {
    ids.remove(index);
    show(panels.toSpliced(index, 1));
  };

  // A first visit, or a newly added panel, is there to be written in; a link is there to be looked at.
  const wantsFocus = (panel: PanelState, index: number): boolean =>
    panel.expr === "" ? index === panels.length - 1 : index === 0 && window.location.hash === "#focus";

  return (
    <div className="stack">
      <span className="visually-hidden">
        <PageHead title="Query" />
      </span>
      <ClockWarning />
      {panels.map((panel, index) => (
        <Panel
          key={ids.at(index)}
          id={ids.at(index)}
          isFirst={index === 0}
          autoFocus={wantsFocus(panel, index)}
          panel={panel}
          onChange={(next) => replace(index, next)}
          onDuplicate={() => insert(index + 1, panel)}
          {...(panels.length > 1 && { onRemove: () => remove(index) })}
        />
      ))}
      <div>
        <Button
          size="compact-sm"
          variant="default"
          onClick={() => insert(panels.length, newPanel({ tab: panels.at(-1)!.tab }))}
        >
          Add panel
        </Button>
      </div>
    </div>
  );
}

/** A panel keeps its identity, and with it what is being typed, when one before it comes or goes. */
function usePanelIds(count: number): {
  at: (index: number) => number;
  insert: (index: number) => void;
  remove: (index: number) => void;
} {
  const ids = useRef<number[]>([]);
  const next = useRef(0);
  while (ids.current.length < count) ids.current.push(next.current++);
  return {
    at: (index) => ids.current[index]!,
    insert: (index) => void ids.current.splice(index, 0, next.current++),
    remove: (index) => void ids.current.splice(index, 1),
  };
}
