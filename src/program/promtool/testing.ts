import { promtool } from "../promtool.ts";

/** What a command printed, and its exit code. */
export interface Outcome {
  out: string;
  err: string;
  code: number | null;
}

/** Runs a command in this process. */
export async function runTool(...args: string[]): Promise<Outcome> {
  const outcome: Outcome = { out: "", err: "", code: null };
  outcome.code = await promtool(args, {
    out: (text) => void (outcome.out += text),
    err: (text) => void (outcome.err += text),
  });
  return outcome;
}
