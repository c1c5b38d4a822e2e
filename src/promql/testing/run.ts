import { errorMessage, NarthexError } from "../../base/index.ts";
import { type Answer, compareAnswer, compareError } from "./expectation.ts";
import { type EvalCommand, type LoadCommand, parseScript } from "./script.ts";

/** An engine over a storage, as a script needs it. */
export interface Subject {
  /** Forgets all samples. */
  clear(): Promise<void>;
  load(command: LoadCommand): Promise<void>;
  /** Throws a NarthexError when the query fails. */
  evaluate(command: EvalCommand): Promise<Answer>;
}

export interface CaseResult {
  line: number;
  query: string;
  /** Why the case failed; undefined when it passed. */
  failure: string | undefined;
}

/** Runs a script and tells of every `eval` whether it passed. Throws when the script itself is wrong. */
export async function runScript(text: string, subject: Subject): Promise<CaseResult[]> {
  const results: CaseResult[] = [];
  await subject.clear();
  for (const command of parseScript(text)) {
    if (command.kind === "clear") await subject.clear();
    else if (command.kind === "load") await subject.load(command);
    else
      results.push({ line: command.line, query: command.query, failure: await failureOf(command, subject) });
  }
  return results;
}

async function failureOf(command: EvalCommand, subject: Subject): Promise<string | undefined> {
  let answer: Answer;
  try {
    answer = await subject.evaluate(command);
  } catch (error) {
    if (error instanceof NarthexError) return compareError(command, error.message);
    return `the engine broke: ${errorMessage(error)}`;
  }
  return compareAnswer(command, answer);
}
