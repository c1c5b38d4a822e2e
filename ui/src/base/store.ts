/** Values that outlive components: some for as long as the page, settings in the browser's storage. */
import { useSyncExternalStore } from "react";

export interface Store<T> {
  get(): T;
  set(value: T): void;
  /** The value, kept current, for a component. */
  use(): T;
}

export function store<T>(initial: T): Store<T> {
  let value = initial;
  const listeners = new Set<() => void>();
  const get = (): T => value;
  const subscribe = (listener: () => void): (() => void) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  };
  return {
    get,
    set(next) {
      value = next;
      for (const listener of listeners) listener();
    },
    use: () => useSyncExternalStore(subscribe, get),
  };
}

/**
 * A store that the browser remembers, shared by all its windows. Where storage is forbidden or full it lasts as long
 * as the page. `read` turns what was stored, whatever it is, into a valid value.
 */
export function setting<T>(key: string, read: (stored: unknown) => T): Store<T> {
  const inner = store(read(load(key)));
  window.addEventListener("storage", (event) => {
    if (event.key === key) inner.set(read(load(key)));
  });
  return {
    ...inner,
    set(value) {
      try {
        localStorage.setItem(key, JSON.stringify(value));
      } catch {
        // The setting then holds until the page is closed.
      }
      inner.set(value);
    },
  };
}

function load(key: string): unknown {
  try {
    const text = localStorage.getItem(key);
    return text === null ? undefined : (JSON.parse(text) as unknown);
  } catch {
    return undefined;
  }
}
