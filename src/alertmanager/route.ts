/** The routing tree: which receivers get an alert, and how it is grouped on the way. */
import { type Labels, type Matcher, quoteGo } from "../model/index.ts";
import { matchesAll, printMatchers, sortMatchers } from "./matcher/index.ts";
import type { RouteConfig } from "./config/route.ts";

/** What a route decides for the alerts that end at it, inherited from its parents where it says nothing itself. */
export interface RouteOptions {
  readonly receiver: string;
  /** Label names to group by; "all" for a group per label set. */
  readonly groupBy: ReadonlySet<string> | "all";
  readonly groupWaitMs: number;
  readonly groupIntervalMs: number;
  readonly repeatIntervalMs: number;
  readonly muteTimeIntervals: readonly string[];
  readonly activeTimeIntervals: readonly string[];
  /** Possibly templated values. */
  readonly labels: ReadonlyMap<string, string>;
}

const defaults: RouteOptions = {
  receiver: "",
  groupBy: new Set(),
  groupWaitMs: 30_000,
  groupIntervalMs: 5 * 60_000,
  repeatIntervalMs: 4 * 3_600_000,
  muteTimeIntervals: [],
  activeTimeIntervals: [],
  labels: new Map(),
};

export class Route {
  readonly options: RouteOptions;
  readonly matchers: readonly Matcher[];
  readonly routes: readonly Route[];
  /** The matchers on the way here: `{}/{severity="page"}`. Siblings may share it. */
  readonly key: string;
  /** Like `key`, with the position among siblings, so unique. */
  readonly id: string;
  readonly #continues: boolean;

  constructor(config: RouteConfig, parent?: Route, index = 0) {
    this.options = inherit(config, parent?.options ?? defaults);
    this.matchers = sortMatchers(config.matchers);
    this.#continues = config.continue;
    const own = printMatchers(this.matchers);
    this.key = parent === undefined ? own : `${parent.key}/${own}`;
    this.id = parent === undefined ? own : `${parent.id}/${own}/${index}`;
    this.routes = config.routes.map((child, i) => new Route(child, this, i));
  }

  /** The routes at which an alert with these labels ends, depth first; the node itself only if no child takes it. */
  match(labels: Labels): Route[] {
    if (!matchesAll(this.matchers, labels)) return [];
    const found: Route[] = [];
    for (const child of this.routes) {
      const matches = child.match(labels);
      found.push(...matches);
      if (matches.length > 0 && !child.#continues) break;
    }
    return found.length > 0 ? found : [this];
  }

  /** The labels by which an alert is grouped here; those it lacks are left out. */
  groupLabels(labels: Labels): Labels {
    const { groupBy } = this.options;
    return groupBy === "all" ? labels : labels.only(...groupBy);
  }

  /** Names a group for good: the notification log remembers groups by it. */
  groupKey(groupLabels: Labels): string {
    const pairs = [...groupLabels].map(([name, value]) => `${name}=${quoteGo(value)}`);
    return `${this.key}:{${pairs.join(", ")}}`;
  }

  /** This route and all below it, depth first. */
  *walk(): Generator<Route> {
    yield this;
    for (const child of this.routes) yield* child.walk();
  }
}

function inherit(config: RouteConfig, parent: RouteOptions): RouteOptions {
  return {
    receiver: config.receiver || parent.receiver,
    groupBy: config.groupBy ?? parent.groupBy,
    groupWaitMs: config.groupWaitMs ?? parent.groupWaitMs,
    groupIntervalMs: config.groupIntervalMs ?? parent.groupIntervalMs,
    repeatIntervalMs: config.repeatIntervalMs ?? parent.repeatIntervalMs,
    // Time intervals are a route's own; its children do not inherit them.
    muteTimeIntervals: config.muteTimeIntervals,
    activeTimeIntervals: config.activeTimeIntervals,
    labels: new Map([...parent.labels, ...config.labels]),
  };
}
