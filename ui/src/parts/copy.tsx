import { Button } from "@mantine/core";
import { useRef, useState } from "react";

/** Copies a text and says for a moment that it did. */
export function CopyButton({ text, label = "Copy" }: { text: string; label?: string }): React.JSX.Element {
  const [said, setSaid] = useState(label);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const copy = async (): Promise<void> => {
    setSaid((await copyText(text)) ? "Copied" : "Not allowed");
    clearTimeout(timer.current);
    timer.current = setTimeout(() => setSaid(label), 1500);
  };
  return (
    <Button size="compact-sm" variant="default" miw={84} onClick={() => void copy()}>
      {said}
    </Button>
  );
}

/** The clipboard's interface exists only on https and localhost; elsewhere the old way through a selection works. */
async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}
