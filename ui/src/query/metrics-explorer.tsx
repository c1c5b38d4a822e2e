/** All metric names with what is known about them; a click writes one into the query. */
import { Modal, TextInput } from "@mantine/core";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useDeferredValue, useMemo, useState } from "react";
import { useApi } from "../api/use-api.ts";
import { formatCount } from "../base/unit.ts";
import { matchesSearch } from "../base/labels.ts";
import "./metrics-explorer.css";
import { Failure } from "../parts/notice.tsx";

interface Metadata {
  type: string;
  help: string;
  unit: string;
}

interface Metric {
  name: string;
  type: string;
  help: string;
}

interface Props {
  onPick: (name: string) => void;
  onClose: () => void;
}

export function MetricsExplorer({ onPick, onClose }: Props): React.JSX.Element {
  const names = useApi<string[]>("/label/__name__/values");
  const metadata = useApi<Record<string, Metadata[]>>("/metadata", { limit_per_metric: 1 });
  const [search, setSearch] = useState("");
  const wanted = useDeferredValue(search);
  const metrics = useMemo(
    () => (names.data?.data ?? []).map((name) => describe(name, metadata.data?.data ?? {})),
    [names.data, metadata.data],
  );
  const shown = useMemo(
    () => metrics.filter(({ name, type, help }) => matchesSearch(wanted, [name, type, help])),
    [metrics, wanted],
  );
  return (
    <Modal
      opened
      onClose={onClose}
      title="Metrics"
      size="min(1000px, 94vw)"
      transitionProps={{ duration: 0 }}
    >
      <TextInput
        data-autofocus
        size="xs"
        aria-label="Search metrics"
        placeholder="Search names, types and descriptions"
        value={search}
        onChange={(event) => setSearch(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key !== "Enter" || shown[0] === undefined) return;
          // The editor takes the focus at once, and would take the key as well.
          event.preventDefault();
          onPick(shown[0].name);
        }}
      />
      {names.error !== null && <Failure error={names.error} what="the metric names" />}
      <div className="dim explorer-count num">
        {names.data !== undefined && `${formatCount(shown.length)} of ${formatCount(metrics.length)} metrics`}
      </div>
      <MetricList metrics={shown} onPick={onPick} />
    </Modal>
  );
}

/** A histogram's or summary's series are described under the name without their suffix. */
function describe(name: string, metadata: Readonly<Record<string, Metadata[]>>): Metric {
  const known = metadata[name]?.[0] ?? metadata[name.replace(/_(bucket|sum|count)$/, "")]?.[0];
  return { name, type: known?.type ?? "", help: known?.help ?? "" };
}

const rowHeightPx = 40;

function MetricList({
  metrics,
  onPick,
}: {
  metrics: readonly Metric[];
  onPick: (name: string) => void;
}): React.JSX.Element {
  // State instead of a ref: the list inside a dialog is measured only once it is there.
  const [scroller, setScroller] = useState<HTMLDivElement | null>(null);
  const virtual = useVirtualizer({
    count: metrics.length,
    getScrollElement: () => scroller,
    estimateSize: () => rowHeightPx,
    overscan: 10,
  });
  return (
    <div ref={setScroller} className="explorer-list">
      <div style={{ height: virtual.getTotalSize(), position: "relative" }}>
        {virtual.getVirtualItems().map(({ index, start }) => {
          const { name, type, help } = metrics[index]!;
          return (
            <button
              key={name}
              type="button"
              className="explorer-row"
              style={{ top: start, height: rowHeightPx }}
              title={help}
              onClick={() => onPick(name)}
            >
              <span className="mono explorer-name">{name}</span>
              <span className="dim">{type}</span>
              <span className="dim explorer-help">{help}</span>
            </button>
          );
        })}
      </div>
    </div>
  );
}
