import { errorMessage, NarthexError } from "../../base/index.ts";
import { type Answer, compareAnswer, compareError, compareStep } from "./expectation.ts";
import { type EvalCommand, type LoadCommand, parseScript } from "./script.ts";
import { pinnedVariants, rangeVariant } from "./variants.ts";

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

/** Asks in all the ways that must come to the same. */
async function failureOf(command: EvalCommand, subject: Subject): Promise<string | undefined> {
  const failure = await failureOfOne(command, subject);
  if (failure !== undefined || command.isRange || command.expected.fail) return failure;
  const asRange = await failureOfRange(rangeVariant(command), subject);
  if (asRange !== undefined) return asRange;
  for (const variant of pinnedVariants(command)) {
    const found =
      (await failureOfOne(variant, subject)) ?? (await failureOfRange(rangeVariant(variant), subject));
    if (found !== undefined) return `${found}, asked as ${variant.query} at ${variant.endMs}`;
  }
  return undefined;
}

async function failureOfRange(
  command: EvalCommand | undefined,
  subject: Subject,
): Promise<string | undefined> {
  if (command === undefined) return undefined;
  try {
    const { value } = await subject.evaluate(command);
    const timestampMs = command.startMs + command.stepMs;
    const failure = compareStep(command, value, timestampMs);
    return failure && `as a range query: ${failure}`;
  } catch (error) {
    return `as a range query: ${errorMessage(error)}`;
  }
}

async function failureOfOne(command: EvalCommand, subject: Subject): Promise<string | undefined> {
  let answer: Answer;
  try {
    answer = await subject.evaluate(command);
  } catch (error) {
    if (error instanceof NarthexError) return compareError(command, error.message);
    return `the engine broke: ${errorMessage(error)}`;
  }
  return compareAnswer(command, answer);
}
