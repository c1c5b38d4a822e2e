import "./editor.css";

export interface EditorProps {
  value: string;
  onChange: (value: string) => void;
  onRun: (value: string) => void;
  /** Take the focus once the editor is there. */
  autoFocus: boolean;
  /** Told by the plain editor, so that the real one can take over. */
  onFocusChange: (hasFocus: boolean) => void;
  /** Where the editor leaves the way to write a text at its cursor. */
  insertRef: React.RefObject<((text: string) => void) | null>;
}

/** Stands in until the real editor is loaded: the same size, and one can type in it already. */
export function PlainEditor({
  value,
  onChange,
  onRun,
  autoFocus,
  onFocusChange,
}: EditorProps): React.JSX.Element {
  return (
    <textarea
      className="plain-editor"
      aria-label="PromQL expression"
      placeholder={editorPlaceholder}
      autoFocus={autoFocus}
      onFocus={() => onFocusChange(true)}
      onBlur={() => onFocusChange(false)}
      rows={Math.max(1, value.split("\n").length)}
      spellCheck={false}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
      onKeyDown={(event) => {
        if (event.key !== "Enter" || event.altKey) return;
        event.preventDefault();
        onRun(event.currentTarget.value);
      }}
    />
  );
}

export const editorPlaceholder = "PromQL expression, Ctrl+Space completes, Enter runs";
