import "./parts.css";

export type Tone = "ok" | "warn" | "bad" | "none";

const tones: Record<string, Tone> = {
  up: "ok",
  ok: "ok",
  ready: "ok",
  active: "ok",
  down: "bad",
  err: "bad",
  firing: "bad",
  pending: "warn",
  suppressed: "warn",
  settling: "warn",
};

export const toneOf = (state: string): Tone => tones[state] ?? "none";

/** A state's word behind a dot of its colour: never colour alone. */
export function State({ name, tone = toneOf(name) }: { name: string; tone?: Tone }): React.JSX.Element {
  return <span className={`state ${tone}`}>{name}</span>;
}

/** A small number with its meaning, "3 firing". */
export function Tally({ tone, children }: { tone: Tone; children: React.ReactNode }): React.JSX.Element {
  return <span className={`tally ${tone}`}>{children}</span>;
}
