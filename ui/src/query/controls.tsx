/** Range, end and resolution of a query. */
import { useEffect, useState } from "react";
import { formatDuration, neighbourRange, parseDuration } from "../base/duration.ts";
import { zoneSetting } from "../base/settings.ts";
import { formatTime, parseTime } from "../base/time.ts";
import "../parts/choice.css";
import { stepMsOf, type Density, type Resolution } from "./url.ts";

interface TextFieldProps {
  label: string;
  text: string;
  width: number;
  placeholder?: string;
  isValid: (text: string) => boolean;
  onCommit: (text: string) => void;
}

/** A text that counts once it is left or Enter is pressed; what cannot be read is marked and not taken. */
function TextField({
  label,
  text,
  width,
  placeholder,
  isValid,
  onCommit,
}: TextFieldProps): React.JSX.Element {
  const [draft, setDraft] = useState(text);
  useEffect(() => setDraft(text), [text]);
  const isBad = !isValid(draft);
  const commit = (): void => {
    if (!isBad && draft !== text) onCommit(draft);
  };
  return (
    <input
      className="stepper-text"
      aria-label={label}
      title={label}
      aria-invalid={isBad}
      style={{ width }}
      placeholder={placeholder}
      value={draft}
      onChange={(event) => setDraft(event.currentTarget.value)}
      onBlur={commit}
      onKeyDown={(event) => {
        if (event.key === "Enter") commit();
        if (event.key === "Escape") setDraft(text);
      }}
    />
  );
}

function StepButton({
  label,
  onClick,
  children,
}: {
  label: string;
  onClick: () => void;
  children: string;
}): React.JSX.Element {
  return (
    <button type="button" className="stepper-button" aria-label={label} title={label} onClick={onClick}>
      {children}
    </button>
  );
}

export function RangeInput({
  valueMs,
  onChange,
}: {
  valueMs: number;
  onChange: (valueMs: number) => void;
}): React.JSX.Element {
  return (
    <span className="stepper">
      <StepButton label="Shorter range" onClick={() => onChange(neighbourRange(valueMs, "narrower"))}>
        −
      </StepButton>
      <TextField
        label="Range"
        width={64}
        text={formatDuration(valueMs)}
        isValid={(text) => (parseDuration(text) ?? 0) > 0}
        onCommit={(text) => onChange(parseDuration(text)!)}
      />
      <StepButton label="Longer range" onClick={() => onChange(neighbourRange(valueMs, "wider"))}>
        +
      </StepButton>
    </span>
  );
}

interface EndProps {
  label: string;
  /** `undefined` is now. */
  valueMs: number | undefined;
  /** How far the arrows go. */
  stepMs: number;
  onChange: (valueMs: number | undefined) => void;
}

export function EndInput({ label, valueMs, stepMs, onChange }: EndProps): React.JSX.Element {
  const zone = zoneSetting.use();
  const move = (byMs: number): void => onChange(Math.round(((valueMs ?? Date.now()) + byMs) / 1000) * 1000);
  return (
    <span className="stepper">
      <StepButton label={`${label}: earlier`} onClick={() => move(-stepMs)}>
        ‹
      </StepButton>
      <TextField
        label={label}
        width={164}
        placeholder="now"
        text={valueMs === undefined ? "" : formatTime(valueMs, zone)}
        isValid={(text) => text.trim() === "" || parseTime(text, zone) !== undefined}
        onCommit={(text) => onChange(parseTime(text, zone))}
      />
      <StepButton label={`${label}: later`} onClick={() => move(stepMs)}>
        ›
      </StepButton>
      {valueMs !== undefined && (
        <StepButton label={`${label}: now`} onClick={() => onChange(undefined)}>
          ×
        </StepButton>
      )}
    </span>
  );
}

const densities: readonly { value: Density; name: string }[] = [
  { value: "low", name: "Low resolution" },
  { value: "medium", name: "Medium resolution" },
  { value: "high", name: "High resolution" },
];

const fixedStepsS = [1, 5, 10, 15, 30, 60, 300, 900, 1800, 3600];

interface ResolutionProps {
  value: Resolution;
  rangeMs: number;
  onChange: (value: Resolution) => void;
}

export function ResolutionInput({ value, rangeMs, onChange }: ResolutionProps): React.JSX.Element {
  const stepsMs = fixedStepsS.map((seconds) => seconds * 1000);
  if (value.type === "step" && !stepsMs.includes(value.stepMs)) stepsMs.push(value.stepMs);
  const autoStep = (density: Density): string =>
    formatDuration(stepMsOf({ rangeMs, resolution: { type: "auto", density } }));
  return (
    <select
      className="plain-select"
      aria-label="Resolution"
      title="Resolution: how far the points of the graph are apart"
      value={value.type === "auto" ? value.density : String(value.stepMs)}
      onChange={(event) => {
        const chosen = event.currentTarget.value;
        const density = densities.find((each) => each.value === chosen)?.value;
        onChange(
          density === undefined ? { type: "step", stepMs: Number(chosen) } : { type: "auto", density },
        );
      }}
    >
      {densities.map((each) => (
        <option key={each.value} value={each.value}>
          {each.name} ({autoStep(each.value)})
        </option>
      ))}
      {stepsMs
        .sort((a, b) => a - b)
        .map((stepMs) => (
          <option key={stepMs} value={stepMs}>
            Every {formatDuration(stepMs)}
          </option>
        ))}
    </select>
  );
}

const refreshesMs = [5000, 15_000, 60_000, 300_000];

interface RefreshProps {
  /** `undefined` is never. */
  valueMs: number | undefined;
  onChange: (valueMs: number | undefined) => void;
}

export function RefreshInput({ valueMs, onChange }: RefreshProps): React.JSX.Element {
  const offered =
    valueMs === undefined || refreshesMs.includes(valueMs) ? refreshesMs : [valueMs, ...refreshesMs];
  return (
    <select
      className="plain-select"
      aria-label="Refresh"
      title="Run again by itself"
      value={valueMs ?? ""}
      onChange={({ currentTarget: { value } }) => onChange(value === "" ? undefined : Number(value))}
    >
      <option value="">Run once</option>
      {offered.map((refreshMs) => (
        <option key={refreshMs} value={refreshMs}>
          Refresh every {formatDuration(refreshMs)}
        </option>
      ))}
    </select>
  );
}
