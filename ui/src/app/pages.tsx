/** Which path shows which page. Each page is a file of its own that is loaded when it is first opened. */
import { lazy, type ComponentType } from "react";

interface Page {
  path: string;
  title: string;
  Component: ComponentType;
}

const page = (path: string, title: string, load: () => Promise<{ default: ComponentType }>): Page => ({
  path,
  title,
  Component: lazy(load),
});

export const pages: readonly Page[] = [
  page("/", "Home", () => import("../home/page.tsx")),
  page("/query", "Query", () => import("../query/page.tsx")),
  page("/alerts", "Alerts", () => import("../alerts/alerts-page.tsx")),
  page("/rules", "Rules", () => import("../alerts/rules-page.tsx")),
  page("/targets", "Targets", () => import("../targets/page.tsx")),
  page("/service-discovery", "Service discovery", () => import("../targets/discovery-page.tsx")),
  page("/status", "Runtime & build", () => import("../status/runtime-page.tsx")),
  page("/tsdb-status", "TSDB", () => import("../status/tsdb-page.tsx")),
  page("/flags", "Flags", () => import("../status/flags-page.tsx")),
  page("/config", "Configuration", () => import("../status/config-page.tsx")),
  page("/alertmanager-discovery", "Alertmanager discovery", () => import("../status/alertmanagers-page.tsx")),
  page("/alertmanager/alerts", "Alert groups", () => import("../alertmanager/groups-page.tsx")),
  page("/alertmanager/silences", "Silences", () => import("../alertmanager/silences-page.tsx")),
];

export const titleOf = (path: string): string => pages.find((each) => each.path === path)?.title ?? path;
