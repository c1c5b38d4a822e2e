import { useId } from "react";
import "./choice.css";

interface Props<T extends string> {
  label: string;
  value: T;
  options: readonly { value: T; label: React.ReactNode }[];
  onChange: (value: T) => void;
}

/** One of a few, all in sight. Radio buttons to the keyboard and to screen readers. */
export function Choice<T extends string>({ label, value, options, onChange }: Props<T>): React.JSX.Element {
  const group = useId();
  return (
    <fieldset className="choice">
      <legend className="visually-hidden">{label}</legend>
      {options.map((option) => (
        <label key={option.value} className={option.value === value ? "chosen" : undefined}>
          <input
            type="radio"
            className="visually-hidden"
            name={group}
            checked={option.value === value}
            onChange={() => onChange(option.value)}
          />
          {option.label}
        </label>
      ))}
    </fieldset>
  );
}
