import { setTimeout as wait } from "node:timers/promises";
import { createLogger, type Disk, errorMessage, NarthexError } from "../../base/index.ts";
import { type Config, loadConfig } from "../../config/index.ts";
import { DiscoveryManager, type TargetGroup } from "../../discovery/index.ts";
import { type Labels, toGoJson } from "../../model/index.ts";
import { discoveredLabels, populateTarget, type ScrapeConfig } from "../../scrape/index.ts";
import { userAgent } from "../version.ts";
import { exitCode, type Streams } from "./command.ts";

export interface DiscoveryCheck {
  readonly disk: Disk;
  /** How long targets are waited for. */
  readonly timeoutMs: number;
}

/** What would become of a target. Labels are empty when a rule drops it or it is refused. */
interface FoundTarget {
  readonly discoveredLabels: Record<string, string>;
  readonly labels: Record<string, string>;
  /** Why it is refused. */
  readonly error?: string;
}

/** Finds the targets of a job, and prints as JSON what they are before and after relabelling. Returns the exit code. */
export async function checkServiceDiscovery(
  file: string,
  job: string,
  check: DiscoveryCheck,
  { out, err }: Streams,
): Promise<number> {
  let config: Config;
  try {
    config = loadConfig(file, { disk: check.disk, warn: (message) => err(`${message}\n`) });
  } catch (error) {
    if (!(error instanceof NarthexError)) throw error;
    err(`Cannot load config ${error.message}\n`);
    return exitCode.failure;
  }
  const jobs = config.allScrapeConfigs;
  const wanted = jobs.find(({ jobName }) => jobName === job);
  if (wanted === undefined) {
    err(`Job ${job} not found. Select one of:\n${jobs.map(({ jobName }) => `\t${jobName}\n`).join("")}`);
    return exitCode.failure;
  }
  const groups = await findGroups(wanted, check, err);
  const found = groups.flatMap((group) =>
    distinct(group.targets.map((target) => judge(wanted, target, group))),
  );
  out(toGoJson(found, 2));
  return exitCode.ok;
}

/** What the job's mechanisms have found by the end of the time. */
async function findGroups(
  { jobName, discovery }: ScrapeConfig,
  { disk, timeoutMs }: DiscoveryCheck,
  err: Streams["err"],
): Promise<readonly TargetGroup[]> {
  const logger = createLogger({ write: (line) => err(line) });
  const manager = new DiscoveryManager({ name: "scrape", update: () => {}, logger, userAgent, disk });
  try {
    manager.apply(new Map([[jobName, discovery]]));
    await wait(timeoutMs);
    return manager.groups().get(jobName) ?? [];
  } finally {
    manager.close();
  }
}

function judge(config: ScrapeConfig, target: Labels, group: TargetGroup): FoundTarget {
  try {
    const { discovered, labels } = populateTarget(config, target, group);
    return { discoveredLabels: Object.fromEntries(discovered), labels: Object.fromEntries(labels ?? []) };
  } catch (error) {
    const discovered = discoveredLabels(config, target, group);
    return { discoveredLabels: Object.fromEntries(discovered), labels: {}, error: errorMessage(error) };
  }
}

/** Of targets that are alike the first. */
function distinct(targets: readonly FoundTarget[]): FoundTarget[] {
  const seen = new Set<string>();
  return targets.filter((target) => {
    const text = JSON.stringify(target);
    const isNew = !seen.has(text);
    seen.add(text);
    return isNew;
  });
}
