import { type Disk, errorMessage, NarthexError } from "../../base/index.ts";
import { compareStrings } from "../../model/index.ts";
import { parseRuleFile, type RuleConfig, RuleFileError, type RuleFileOptions } from "../../rules/index.ts";
import { exitCode, type Streams } from "./command.ts";

/** What was wrong: complaints of the linter alone are forgiven unless they shall be fatal. */
export interface Findings {
  hasErrors: boolean;
  hasComplaints: boolean;
}

export interface RuleCheck {
  readonly lintsDuplicates: boolean;
  readonly file?: RuleFileOptions;
}

export function codeOf({ hasErrors, hasComplaints }: Findings, isLintFatal: boolean): number {
  if (hasErrors) return exitCode.failure;
  return hasComplaints && isLintFatal ? exitCode.lint : exitCode.ok;
}

/** What `--lint` asks for. Unknown names are warned of. */
export function parseRuleLint(text: string, { out }: Streams): Pick<RuleCheck, "lintsDuplicates"> {
  let lintsDuplicates = false;
  for (const option of text === "" ? [] : text.split(",")) {
    if (option === "all" || option === "duplicate-rules") lintsDuplicates = true;
    else if (option !== "none") out(`WARNING: unknown lint option: ${JSON.stringify(option)}\n`);
  }
  return { lintsDuplicates };
}

/** Checks rule files one after the other, telling of each. */
export function checkRuleFiles(
  disk: Disk,
  files: readonly string[],
  check: RuleCheck,
  streams: Streams,
): Findings {
  const findings: Findings = { hasErrors: false, hasComplaints: false };
  for (const file of files) {
    streams.out(`Checking ${file}\n`);
    checkRuleText(() => Buffer.from(disk.readFile(file)).toString(), file, check, findings, streams);
  }
  return findings;
}

/** Checks one text, and adds what is wrong to `findings`. */
export function checkRuleText(
  read: () => string,
  file: string,
  { lintsDuplicates, file: options }: RuleCheck,
  findings: Findings,
  { out, err }: Streams,
): void {
  let rules: RuleConfig[];
  try {
    rules = parseRuleFile(read(), file, options).groups.flatMap((group) => group.rules);
  } catch (error) {
    if (!(error instanceof NarthexError) && (error as NodeJS.ErrnoException).code === undefined) throw error;
    const messages = error instanceof RuleFileError ? error.messages : [errorMessage(error)];
    err(`  FAILED:\n${messages.map((message) => `${message}\n`).join("")}`);
    findings.hasErrors = true;
    return;
  }
  const duplicates = lintsDuplicates ? duplicatesOf(rules) : [];
  if (duplicates.length > 0) {
    err(`  FAILED:\nlint error ${formatDuplicates(duplicates)}\n`);
    findings.hasComplaints = true;
  } else {
    out(`  SUCCESS: ${rules.length} rules found\n`);
  }
  out("\n");
}

/** One of each name and labels that several rules have, in order. */
function duplicatesOf(rules: readonly RuleConfig[]): RuleConfig[] {
  const seen = new Set<string>();
  const duplicates = new Map<string, RuleConfig>();
  for (const rule of rules) {
    const key = JSON.stringify([rule.name, ...rule.labels]);
    if (seen.has(key)) duplicates.set(key, rule);
    seen.add(key);
  }
  return [...duplicates].sort(([a], [b]) => compareStrings(a, b)).map(([, rule]) => rule);
}

function formatDuplicates(duplicates: readonly RuleConfig[]): string {
  const texts = duplicates.map(({ name, labels }) => {
    const lines = Array.from(labels, ([label, value]) => `\t${label}: ${value}\n`);
    return `Metric: ${name}\nLabel(s):\n${lines.join("")}`;
  });
  return `${duplicates.length} duplicate rule(s) found.\n${texts.join("")}Might cause inconsistency while recording expressions`;
}
