/** One query: its editor, and its answer as a table or a graph. */
import { ActionIcon, Button, Menu } from "@mantine/core";
import { lazy, Suspense, useEffect, useRef, useState } from "react";
import { useMutation } from "@tanstack/react-query";
import { MenuIcon } from "../app/icons.tsx";
import { requestApi } from "../api/http.ts";
import { historySetting, rememberQuery } from "../base/settings.ts";
import { Choice } from "../parts/choice.tsx";
import { EndInput, RangeInput, RefreshInput, ResolutionInput } from "./controls.tsx";
import { GraphView } from "./graph-view.tsx";
import { MetricsExplorer } from "./metrics-explorer.tsx";
import { PlainEditor } from "./plain-editor.tsx";
import { TableView } from "./table-view.tsx";
import type { PanelState } from "./url.ts";

const Editor = lazy(() => import("./editor.tsx"));
const ExplainView = lazy(() => import("./explain-view.tsx"));

interface Props {
  id: number;
  panel: PanelState;
  isFirst: boolean;
  /** Whether one wants to write here as soon as the panel is there. */
  autoFocus: boolean;
  onChange: (panel: PanelState) => void;
  onDuplicate: () => void;
  onRemove?: () => void;
}

export function Panel({
  id,
  panel,
  isFirst,
  autoFocus,
  onChange,
  onDuplicate,
  onRemove,
}: Props): React.JSX.Element {
  const [draft, setDraft] = useState(panel.expr);
  const [run, setRun] = useState(0);
  useEffect(() => setDraft(panel.expr), [panel.expr]);

  const execute = (expr: string): void => {
    const trimmed = expr.trim();
    if (trimmed !== "") rememberQuery(trimmed);
    setRun(run + 1);
    if (trimmed !== panel.expr) onChange({ ...panel, expr: trimmed });
  };
  const formatting = useMutation({
    mutationFn: () => requestApi<string>("/format_query", { params: { query: draft } }),
    onSuccess: ({ data }) => setDraft(data),
  });

  const [explores, setExplores] = useState(false);
  const insertRef = useRef<((text: string) => void) | null>(null);
  const hasFocus = useRef(autoFocus);
  const editorProps = {
    value: draft,
    onChange: setDraft,
    onRun: execute,
    autoFocus: hasFocus.current,
    onFocusChange: (next: boolean) => {
      hasFocus.current = next;
    },
    insertRef,
  };
  return (
    <section className="panel query-panel" aria-label="Query panel">
      <div className="query-line" {...(isFirst && { "data-primary-input": true })}>
        <div className="query-editor">
          <Suspense fallback={<PlainEditor {...editorProps} />}>
            <Editor {...editorProps} />
          </Suspense>
        </div>
        <Button size="sm" onClick={() => execute(draft)}>
          Execute
        </Button>
        <PanelMenu
          onPick={(expr) => {
            setDraft(expr);
            execute(expr);
          }}
          onExplore={() => setExplores(true)}
          onFormat={() => formatting.mutate()}
          onDuplicate={onDuplicate}
          {...(onRemove && { onRemove })}
        />
      </div>
      {explores && (
        <MetricsExplorer
          onClose={() => setExplores(false)}
          onPick={(name) => {
            setExplores(false);
            if (insertRef.current === null) setDraft(name);
            else insertRef.current(name);
          }}
        />
      )}
      <div className="query-controls">
        <Choice
          label="Show as"
          value={panel.tab}
          options={[
            { value: "table", label: "Table" },
            { value: "graph", label: "Graph" },
            { value: "explain", label: "Explain" },
          ]}
          onChange={(tab) => onChange({ ...panel, tab })}
        />
        {panel.tab !== "table" && (
          <RangeInput valueMs={panel.rangeMs} onChange={(rangeMs) => onChange({ ...panel, rangeMs })} />
        )}
        <EndInput
          label={panel.tab === "table" ? "Evaluation time" : "End time"}
          valueMs={panel.endMs}
          stepMs={panel.rangeMs / 2}
          onChange={(endMs) => onChange({ ...panel, endMs })}
        />
        {panel.endMs === undefined && (
          <RefreshInput
            valueMs={panel.refreshMs}
            onChange={(refreshMs) => onChange({ ...panel, refreshMs })}
          />
        )}
        {panel.tab !== "table" && (
          <ResolutionInput
            value={panel.resolution}
            rangeMs={panel.rangeMs}
            onChange={(resolution) => onChange({ ...panel, resolution })}
          />
        )}
        {panel.tab === "graph" && (
          <Choice
            label="Drawn as"
            value={panel.stacked ? "stacked" : "lines"}
            options={[
              { value: "lines", label: "Lines" },
              { value: "stacked", label: "Stacked" },
            ]}
            onChange={(mode) => onChange({ ...panel, stacked: mode === "stacked" })}
          />
        )}
        {panel.tab === "graph" && (
          <label className="check">
            <input
              type="checkbox"
              checked={panel.showsExemplars}
              onChange={({ currentTarget }) => onChange({ ...panel, showsExemplars: currentTarget.checked })}
            />
            Show exemplars
          </label>
        )}
      </div>
      {formatting.error !== null && <div className="query-note bad">{formatting.error.message}</div>}
      {panel.tab === "explain" && (
        <Suspense>
          <ExplainView panel={panel} id={id} run={run} />
        </Suspense>
      )}
      {panel.tab === "graph" && (
        <GraphView
          panel={panel}
          id={id}
          run={run}
          onZoom={(startMs, endMs) => onChange({ ...panel, endMs, rangeMs: Math.max(1000, endMs - startMs) })}
        />
      )}
      {panel.tab === "table" && <TableView panel={panel} id={id} run={run} />}
    </section>
  );
}

/** How many past queries the menu offers; completion offers all. */
const menuHistoryMax = 12;

interface MenuProps {
  onPick: (expr: string) => void;
  onExplore: () => void;
  onFormat: () => void;
  onDuplicate: () => void;
  onRemove?: () => void;
}

function PanelMenu({ onPick, onExplore, onFormat, onDuplicate, onRemove }: MenuProps): React.JSX.Element {
  const past = historySetting.use();
  return (
    <Menu position="bottom-end" shadow="sm" width={380} transitionProps={{ duration: 0 }}>
      <Menu.Target>
        <ActionIcon variant="default" size={36} aria-label="Panel menu">
          <MenuIcon />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item onClick={onExplore}>Browse metrics</Menu.Item>
        <Menu.Item onClick={onFormat}>Format query</Menu.Item>
        <Menu.Item onClick={onDuplicate}>Duplicate panel</Menu.Item>
        {onRemove !== undefined && (
          <Menu.Item color="red" onClick={onRemove}>
            Remove panel
          </Menu.Item>
        )}
        {past.length > 0 && (
          <>
            <Menu.Divider />
            <Menu.Label>Past queries</Menu.Label>
            {past.slice(0, menuHistoryMax).map((expr) => (
              <Menu.Item key={expr} className="past-query" onClick={() => onPick(expr)} title={expr}>
                {expr}
              </Menu.Item>
            ))}
          </>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}
