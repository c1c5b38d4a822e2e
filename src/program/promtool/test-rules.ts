import {
  boolFlag,
  errorMessage,
  listFlag,
  NarthexError,
  systemClock,
  systemDisk,
  textFlag,
} from "../../base/index.ts";
import { Regexp } from "../../model/index.ts";
import { readUnitTestFile, runUnitTest, type UnitTestFile, type UnitTestOptions } from "../../rules/index.ts";
import { parseTime } from "../../web/index.ts";
import { type Commands, exitCode, type Streams, UsageError } from "./command.ts";
import { languageFeatures } from "./features.ts";
import { JunitReport } from "./junit.ts";

export const testCommands: Commands = {
  "test rules": {
    summary: "run unit tests for rules",
    flags: [
      textFlag("junit", "", "File for the results as JUnit XML."),
      listFlag("run", [], "Run only tests whose names match the regular expression."),
      boolFlag("debug", false, "Tell when tests begin and end, and print all samples there are."),
      boolFlag("ignore-unknown-fields", false, "Let test and rule files have fields that nobody knows."),
    ],
    positionals: ["<test-rule-file>..."],
    namesFiles: true,
    async run(flags, files, streams) {
      const { parser, query } = languageFeatures(flags, streams);
      const ignoresUnknownFields = flags.bool("ignore-unknown-fields");
      const report = new JunitReport();
      const code = await testRules(
        files,
        {
          disk: systemDisk,
          features: query,
          ruleFile: { parser, ignoresUnknownFields },
          debugs: flags.bool("debug"),
          only: parsePatterns(flags.list("run")),
        },
        report,
        streams,
      );
      if (flags.text("junit") !== "")
        systemDisk.writeFileAtomic(flags.text("junit"), Buffer.from(report.toXml()));
      return code;
    },
  },
};

export interface RuleTests extends Omit<UnitTestOptions, "dump"> {
  readonly debugs: boolean;
  /** Undefined: all. */
  readonly only: Regexp | undefined;
}

/** Runs files of unit tests one after the other, telling of each. */
export async function testRules(
  files: readonly string[],
  options: RuleTests,
  report: JunitReport,
  streams: Streams,
): Promise<number> {
  const { out, err } = streams;
  let code: number = exitCode.ok;
  for (const file of files) {
    const problems = await testFile(file, options, report, streams);
    if (problems.length === 0) out("  SUCCESS\n\n");
    else {
      err(`  FAILED:\n${problems.map((problem) => `${problem}\n`).join("")}`);
      out("\n".repeat(problems.length + 1));
      code = exitCode.failure;
    }
  }
  return code;
}

async function testFile(
  file: string,
  { debugs, only, ...options }: RuleTests,
  report: JunitReport,
  { err }: Streams,
): Promise<string[]> {
  const suite = report.suite(file);
  let read: UnitTestFile;
  try {
    read = readUnitTestFile(file, {
      disk: options.disk,
      ignoresUnknownFields: options.ruleFile.ignoresUnknownFields ?? false,
      warn: (message) => err(`  WARNING: ${message}\n`),
      parseTime,
    });
  } catch (error) {
    if (!(error instanceof NarthexError)) throw error;
    suite.abort(error.message);
    return [error.message];
  }
  suite.begin(systemClock.nowMs());
  const problems: string[] = [];
  const debug = (text: string): void => err(`DEBUG: ${text}\n`);
  for (const [i, test] of read.tests.entries()) {
    if (only && !only.test(test.name)) continue;
    const name = test.name || `unnamed#${i}`;
    const startMs = systemClock.monotonicMs();
    if (debugs) debug(`Starting test ${name}`);
    const found = await runUnitTest(test, read, { ...options, ...(debugs && { dump: debug }) });
    if (debugs) debug(`Test ${name} finished, took ${Math.round(systemClock.monotonicMs() - startMs)}ms`);
    suite.case(name, found);
    problems.push(...found);
  }
  return problems;
}

/** One pattern that matches when any does. Throws UsageError. */
function parsePatterns(patterns: readonly string[]): Regexp | undefined {
  if (patterns.length === 0) return undefined;
  try {
    return Regexp.compile(patterns.join("|"));
  } catch (error) {
    throw new UsageError(errorMessage(error));
  }
}
