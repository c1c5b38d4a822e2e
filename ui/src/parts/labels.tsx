import { formatLabels, labelPairs, quote, type Labels } from "../base/labels.ts";
import "./parts.css";

/** Labels as small tags, but for those whose names are in `hide`. */
export function LabelTags({
  labels,
  hide = [],
}: {
  labels: Labels;
  hide?: readonly string[];
}): React.JSX.Element {
  const shown = Object.entries(labels).filter(([name]) => !hide.includes(name));
  return (
    <span className="labels">
      {shown.map(([name, value]) => (
        <span key={name} className="label">
          <span className="label-name">{name}=</span>
          {quote(value)}
        </span>
      ))}
    </span>
  );
}

/** A series' name in PromQL, the values standing out from the names. */
export function SeriesName({
  labels,
  only,
}: {
  labels: Labels;
  only?: ReadonlySet<string>;
}): React.JSX.Element {
  const name = labels["__name__"];
  const pairs = labelPairs(labels).filter(([label]) => only === undefined || only.has(label));
  const showsName = name !== undefined && (only === undefined || only.has("__name__") || pairs.length === 0);
  return (
    <span className="mono" title={only === undefined ? undefined : formatLabels(labels)}>
      {showsName && name}
      {(pairs.length > 0 || !showsName) && (
        <>
          {"{"}
          {pairs.map(([label, value], index) => (
            <span key={label}>
              {index > 0 && ", "}
              <span className="label-name">{label}=</span>
              {quote(value)}
            </span>
          ))}
          {"}"}
        </>
      )}
    </span>
  );
}
