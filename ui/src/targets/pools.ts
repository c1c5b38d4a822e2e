/** Targets by the pool that scrapes them. */
import { matchesSearch, searchTexts } from "../base/labels.ts";
import type { DroppedTarget, Target, TargetsData } from "../api/types.ts";

export type HealthFilter = "all" | Target["health"];

export interface Pool {
  name: string;
  /** Those the filter lets through. */
  shown: Target[];
  /** Of all, filtered or not. */
  total: number;
  up: number;
  down: number;
}

/** Pools in the order of their names; those the filter empties are left out. */
export function poolsOf(targets: readonly Target[], health: HealthFilter, search: string): Pool[] {
  const pools = new Map<string, Pool>();
  for (const target of targets) {
    const name = target.scrapePool;
    const pool = pools.get(name) ?? { name, shown: [], total: 0, up: 0, down: 0 };
    pools.set(name, pool);
    pool.total++;
    if (target.health === "up") pool.up++;
    if (target.health === "down") pool.down++;
    const fits = health === "all" || target.health === health;
    if (
      fits &&
      matchesSearch(search, [name, target.scrapeUrl, target.lastError, ...searchTexts(target.labels)])
    ) {
      pool.shown.push(target);
    }
  }
  return [...pools.values()]
    .filter(({ shown }) => shown.length > 0)
    .sort((a, b) => a.name.localeCompare(b.name));
}

export function countHealth(targets: readonly Target[]): Record<HealthFilter, number> {
  const counts = { all: targets.length, up: 0, down: 0, unknown: 0 };
  for (const { health } of targets) counts[health]++;
  return counts;
}

export interface DiscoveredPool {
  name: string;
  active: Target[];
  dropped: DroppedTarget[];
  activeTotal: number;
  /** Also counts those the server does not keep. */
  droppedTotal: number;
}

export function discoveredPools(data: TargetsData, search: string): DiscoveredPool[] {
  const pools = new Map<string, DiscoveredPool>();
  const poolOf = (name: string): DiscoveredPool => {
    const pool = pools.get(name) ?? { name, active: [], dropped: [], activeTotal: 0, droppedTotal: 0 };
    pools.set(name, pool);
    return pool;
  };
  for (const target of data.activeTargets ?? []) {
    const pool = poolOf(target.scrapePool);
    pool.activeTotal++;
    if (
      matchesSearch(search, [
        pool.name,
        ...searchTexts(target.discoveredLabels),
        ...searchTexts(target.labels),
      ])
    ) {
      pool.active.push(target);
    }
  }
  for (const target of data.droppedTargets ?? []) {
    // Old servers do not name the pool of a dropped target; its job is the pool's name.
    const pool = poolOf(target.scrapePool ?? target.discoveredLabels["job"] ?? "");
    pool.droppedTotal++;
    if (matchesSearch(search, [pool.name, ...searchTexts(target.discoveredLabels)]))
      pool.dropped.push(target);
  }
  for (const [name, count] of Object.entries(data.droppedTargetCounts ?? {})) {
    const pool = poolOf(name);
    pool.droppedTotal = Math.max(pool.droppedTotal, count);
  }
  return [...pools.values()]
    .filter(({ active, dropped }) => search === "" || active.length + dropped.length > 0)
    .sort((a, b) => a.name.localeCompare(b.name));
}
