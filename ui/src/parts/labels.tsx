import { formatLabels, labelPairs, quote, type Labels } from "../base/labels.ts";
import "./parts.css";

interface TagsProps {
  labels: Labels;
  /** Names that are left out. */
  hide?: readonly string[];
  /** Makes each tag clickable; called with the pair as `name="value"`. */
  onPick?: ((pair: string) => void) | undefined;
}

/** Labels as small tags. */
export function LabelTags({ labels, hide = [], onPick }: TagsProps): React.JSX.Element {
  const shown = Object.entries(labels).filter(([name]) => !hide.includes(name));
  return (
    <span className="labels">
      {shown.map(([name, value]) => {
        const text = (
          <>
            <span className="label-name">{name}=</span>
            {quote(value)}
          </>
        );
        return onPick === undefined ? (
          <span key={name} className="label">
            {text}
          </span>
        ) : (
          // Left out of the tab order: a page has hundreds, and the search does the same from the keyboard.
          <button
            key={name}
            type="button"
            tabIndex={-1}
            className="label"
            title="Show only these"
            onClick={() => onPick(`${name}=${quote(value)}`)}
          >
            {text}
          </button>
        );
      })}
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
