/** The keys that work on every page, and the list of them. */
import { Kbd, Modal } from "@mantine/core";
import { useEffect } from "react";
import { useLocation } from "wouter";
import { zoneSetting } from "../base/settings.ts";
import { store } from "../base/store.ts";

const isOpenStore = store(false);

export const openShortcuts = (): void => isOpenStore.set(true);

/** After "g": where to go. */
const destinations: Record<string, string> = {
  h: "/",
  q: "/query",
  a: "/alerts",
  t: "/targets",
  r: "/rules",
  s: "/status",
  c: "/config",
};

/** How long after "g" its second key may come. */
const secondKeyMs = 1500;

export function Shortcuts(): React.JSX.Element {
  const isOpen = isOpenStore.use();
  const [path, navigate] = useLocation();

  useEffect(() => {
    let goUntilMs = 0;
    const onKey = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      const destination = destinations[event.key];
      if (Date.now() < goUntilMs && destination !== undefined) {
        goUntilMs = 0;
        navigate(destination);
      } else if (event.key === "g") {
        goUntilMs = Date.now() + secondKeyMs;
        return;
      } else if (event.key === "?") {
        isOpenStore.set(true);
      } else if (event.key === "u") {
        zoneSetting.set(zoneSetting.get() === "utc" ? "local" : "utc");
      } else if (event.key === "/") {
        if (!focusPrimaryInput()) navigate("/query#focus");
      } else {
        return;
      }
      event.preventDefault();
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, [navigate, path]);

  return (
    <Modal
      opened={isOpen}
      onClose={() => isOpenStore.set(false)}
      title="Keyboard"
      size={460}
      transitionProps={{ duration: 0 }}
    >
      <table className="grid">
        <tbody>
          <Row keys={["/"]}>To the query, or to a page's search</Row>
          <Row keys={["Enter"]}>Run the query (also with Ctrl, ⌘ or Shift)</Row>
          <Row keys={["Alt", "Enter"]}>A new line in the query</Row>
          <Row keys={["Ctrl", "Space"]}>Complete</Row>
          <Row keys={["Esc"]}>Leave the editor; close a list</Row>
          <Row keys={["u"]}>Local time or UTC</Row>
          <Row keys={["g", "h"]}>Home</Row>
          <Row keys={["g", "q"]}>Query</Row>
          <Row keys={["g", "a"]}>Alerts</Row>
          <Row keys={["g", "t"]}>Targets</Row>
          <Row keys={["g", "r"]}>Rules</Row>
          <Row keys={["g", "s"]}>Runtime &amp; build</Row>
          <Row keys={["g", "c"]}>Configuration</Row>
          <Row keys={["?"]}>This list</Row>
        </tbody>
      </table>
    </Modal>
  );
}

function Row({ keys, children }: { keys: readonly string[]; children: React.ReactNode }): React.JSX.Element {
  return (
    <tr>
      <td className="nowrap" style={{ width: 120 }}>
        {keys.map((key) => (
          <Kbd key={key} size="xs" mr={4}>
            {key}
          </Kbd>
        ))}
      </td>
      <td>{children}</td>
    </tr>
  );
}

/** Whether a key means itself where it goes: in a text, an editor or an open choice, but not on a checkbox. */
function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement) return !/^(checkbox|radio|button)$/.test(target.type);
  return target.isContentEditable || /^(textarea|select)$/i.test(target.tagName);
}

/** Focuses what a page calls its main input: the first query or the search. */
function focusPrimaryInput(): boolean {
  const input = document.querySelector<HTMLElement>(
    "[data-primary-input] .cm-content, input[data-primary-input]",
  );
  input?.focus();
  return input !== null;
}
