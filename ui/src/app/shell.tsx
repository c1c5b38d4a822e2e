/** What stands around every page: the navigation, what the server has to say, and the keyboard. */
import { Suspense, useEffect, useRef } from "react";
import { Redirect, Route, Switch, useLocation } from "wouter";
import { agentMode } from "../base/page-globals.ts";
import { Empty, Skeleton } from "../parts/notice.tsx";
import { ErrorBoundary } from "./error-boundary.tsx";
import { Header } from "./header.tsx";
import { pages } from "./pages.tsx";
import { ServerBanner } from "./server-banner.tsx";
import { Shortcuts } from "./shortcuts.tsx";
import "./shell.css";

export function Shell(): React.JSX.Element {
  const [path] = useLocation();
  useScrollToTop(path);
  return (
    <>
      <Header />
      <ServerBanner />
      <main className="main">
        <ErrorBoundary key={path}>
          <Suspense fallback={<Skeleton />}>
            <Switch>
              {agentMode && (
                <Route path="/">
                  <Redirect to="/targets" replace />
                </Route>
              )}
              {pages.map(({ path: route, Component }) => (
                <Route key={route} path={route} component={Component} />
              ))}
              {/* Where older versions and links in old notifications point. */}
              <Route path="/graph">
                <Redirect to={`/query${window.location.search}`} replace />
              </Route>
              <Route>
                <Empty title="There is no such page">
                  <p>The address may be mistyped. The navigation above leads to all that there are.</p>
                </Empty>
              </Route>
            </Switch>
          </Suspense>
        </ErrorBoundary>
      </main>
      <Shortcuts />
    </>
  );
}

/** A page that is opened begins at its top; one that is gone back to stays where the browser puts it. */
function useScrollToTop(path: string): void {
  const wentBack = useRef(false);
  useEffect(() => {
    const onPopState = (): void => {
      wentBack.current = true;
    };
    window.addEventListener("popstate", onPopState);
    return () => window.removeEventListener("popstate", onPopState);
  }, []);
  useEffect(() => {
    // In braces, since newer browsers return a promise from it.
    if (!wentBack.current) window.scrollTo(0, 0);
    wentBack.current = false;
  }, [path]);
}
