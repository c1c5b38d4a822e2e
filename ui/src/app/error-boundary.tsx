import { Component, type ReactNode } from "react";
import { Button } from "@mantine/core";
import { Notice } from "../parts/notice.tsx";

/** Keeps a fault of one page to that page. */
export class ErrorBoundary extends Component<{ children: ReactNode }, { error: unknown }> {
  override state: { error: unknown } = { error: undefined };

  static getDerivedStateFromError(error: unknown): { error: unknown } {
    return { error };
  }

  override render(): ReactNode {
    const { error } = this.state;
    if (error === undefined) return this.props.children;
    const message = error instanceof Error ? error.message : "no further word";
    return (
      <Notice tone="bad">
        <p style={{ marginTop: 0 }}>
          {isLoadFailure(message) ? (
            <>
              <strong>This page could not be loaded.</strong> The server does not answer, or was just updated
              and has other files now.
            </>
          ) : (
            <>
              <strong>This page stopped because of a fault in it.</strong> The other pages still work.
            </>
          )}
        </p>
        <pre className="code">{message}</pre>
        <Button mt="xs" size="compact-sm" variant="default" onClick={() => window.location.reload()}>
          Load again
        </Button>
      </Notice>
    );
  }
}

/** How the browsers say that a page's script did not arrive. */
const isLoadFailure = (message: string): boolean =>
  /dynamically imported module|importing a module script/i.test(message);
