import { TextInput } from "@mantine/core";
import { useDeferredValue } from "react";
import { useSearchParams } from "wouter";

/** A parameter of the page's address, so that a filter can be sent to a colleague. Empty values leave it out. */
export function useUrlParam(name: string): [value: string, set: (value: string) => void] {
  const [params, setParams] = useSearchParams();
  const set = (value: string): void =>
    setParams(
      (current) => {
        const next = new URLSearchParams(current);
        if (value === "") next.delete(name);
        else next.set(name, value);
        return next;
      },
      { replace: true },
    );
  return [params.get(name) ?? "", set];
}

/** The page's search, kept in the address; the list follows when there is time for it. */
export function useSearch(placeholder = "Search names and labels"): {
  input: React.JSX.Element;
  search: string;
  setSearch: (text: string) => void;
} {
  const [text, setText] = useUrlParam("search");
  const search = useDeferredValue(text);
  const input = (
    <TextInput
      size="xs"
      type="search"
      w={260}
      placeholder={placeholder}
      aria-label="Search"
      data-primary-input
      value={text}
      onChange={(event) => setText(event.currentTarget.value)}
    />
  );
  return { input, search, setSearch: setText };
}
