import type { TargetGroup } from "./target-group.ts";

/** Takes groups that are new or have changed; one without targets is gone. */
export type Publish = (groups: readonly TargetGroup[]) => void;

/** Finds targets until `signal` aborts. The first publication comes as soon as there is an answer, even an empty one. */
export interface Discoverer {
  run(publish: Publish, signal: AbortSignal): Promise<void>;
}
