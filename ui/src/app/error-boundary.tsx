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
    return (
      <Notice tone="bad">
        <p style={{ marginTop: 0 }}>
          <strong>This page stopped because of a fault in it.</strong> The other pages still work. If the
          server was just updated, loading the page again gets its new files.
        </p>
        <pre className="code">{error instanceof Error ? error.message : "no further word"}</pre>
        <Button mt="xs" size="compact-sm" variant="default" onClick={() => window.location.reload()}>
          Load again
        </Button>
      </Notice>
    );
  }
}
