import { Button } from "@mantine/core";
import { useState, type ReactNode } from "react";

/** Rows shown at first and with each click on "more". */
const rowsPerClick = 50;

/** A long list's beginning, and a way to the rest: a page of ten thousand rows helps nobody. */
export function Several<T>({
  items,
  children,
  what,
}: {
  items: readonly T[];
  children: (shown: readonly T[]) => ReactNode;
  what: string;
}): React.JSX.Element {
  const [limit, setLimit] = useState(rowsPerClick);
  const rest = items.length - limit;
  return (
    <>
      {children(items.slice(0, limit))}
      {rest > 0 && (
        <div className="more">
          <Button size="compact-sm" variant="subtle" onClick={() => setLimit(limit + rowsPerClick)}>
            Show {Math.min(rest, rowsPerClick)} more of {rest} {what}
          </Button>
        </div>
      )}
    </>
  );
}
