import { readFileSync } from "node:fs";
import {
  boolFlag,
  errorMessage,
  type FlagDefinition,
  type Flags,
  NarthexError,
  systemDisk,
  textFlag,
} from "../../base/index.ts";
import { createHttpClient, loadWebConfig } from "../../http/index.ts";
import type { RuleFileOptions } from "../../rules/index.ts";
import { userAgent } from "../version.ts";
import { readHttpConfig } from "./api-client.ts";
import { checkConfigFiles } from "./check-config.ts";
import { formatCardinality, lintMetrics } from "./check-metrics.ts";
import { checkServiceDiscovery } from "./check-service-discovery.ts";
import { checkRuleFiles, checkRuleText, codeOf, parseRuleLint } from "./check-rules.ts";
import { type Command, type Commands, durationFlag, exitCode, type Streams } from "./command.ts";
import { languageFeatures } from "./features.ts";

const standardInput = 0;
const probeTimeoutMs = 10_000;
const intervalLint = "too-long-scrape-interval";

const lintFlags: readonly FlagDefinition[] = [
  textFlag("lint", "duplicate-rules", "Conventions to check, separated by commas; all, none."),
  boolFlag("lint-fatal", false, "Exit with 3 when a convention is broken."),
  boolFlag("ignore-unknown-fields", false, "Let rule files have fields that nobody knows."),
];
const probeFlags = [
  textFlag("url", "http://localhost:9090", "The server."),
  textFlag("http.config.file", "", "File with the client's TLS, authentication and proxy options."),
];

export const checkCommands: Commands = {
  "check config": {
    summary: "check configuration files and what they name",
    flags: [
      boolFlag("syntax-only", false, "Do not look at other files."),
      ...lintFlags,
      boolFlag("agent", false, "Check the file for an agent."),
      textFlag("query.lookback-delta", "5m", `Scrape intervals that ${intervalLint} finds too long.`),
    ],
    positionals: ["<config-files>..."],
    namesFiles: true,
    run(flags, files, streams) {
      const options = flags.text("lint").split(",");
      const isNone = options.includes("none");
      const lintsIntervals = !isNone && (options.includes("all") || options.includes(intervalLint));
      const ruleOptions = isNone ? [] : options.filter((option) => option !== intervalLint);
      const check = {
        isSyntaxOnly: flags.bool("syntax-only"),
        agentMode: flags.bool("agent"),
        lookbackDeltaMs: lintsIntervals ? durationFlag(flags, "query.lookback-delta") : 0,
        ...parseRuleLint(ruleOptions.join(","), streams),
        file: ruleFileOptions(flags, streams),
      };
      return codeOf(checkConfigFiles(systemDisk, files, check, streams), flags.bool("lint-fatal"));
    },
  },
  "check service-discovery": {
    summary: "find the targets of a job, and print their labels before and after relabelling",
    flags: [
      textFlag("timeout", "30s", "How long targets are waited for."),
      textFlag("query.lookback-delta", "5m", "Accepted, and means nothing."),
    ],
    positionals: ["<config-file>", "<job>"],
    run(flags, [file, job], streams) {
      const timeoutMs = durationFlag(flags, "timeout");
      return checkServiceDiscovery(file!, job!, { disk: systemDisk, timeoutMs }, streams);
    },
  },
  "check rules": {
    summary: "check rule files, or standard input",
    flags: lintFlags,
    positionals: ["[<rule-files>...]"],
    namesFiles: true,
    run(flags, files, streams) {
      const check = {
        ...parseRuleLint(flags.text("lint"), streams),
        file: ruleFileOptions(flags, streams),
      };
      const isLintFatal = flags.bool("lint-fatal");
      if (files.length > 0) return codeOf(checkRuleFiles(systemDisk, files, check, streams), isLintFatal);
      const findings = { hasErrors: false, hasComplaints: false };
      streams.out("Checking standard input\n");
      checkRuleText(() => readFileSync(standardInput, "utf8"), "stdin", check, findings, streams);
      return codeOf(findings, isLintFatal);
    },
  },
  "check web-config": {
    summary: "check web configuration files",
    flags: [],
    positionals: ["<web-config-files>..."],
    namesFiles: true,
    run: (_, files, streams) => checkWebConfigs(files, streams),
  },
  "check metrics": {
    summary: "check an exposition on standard input against the conventions for metrics",
    flags: [
      boolFlag("extended", false, "Print how many series each metric has."),
      textFlag("lint", "all", "Conventions to check; all, none."),
    ],
    positionals: [],
    run: (flags, _, streams) => checkMetrics(flags, streams),
  },
  "check healthy": probe("healthy"),
  "check ready": probe("ready"),
};

function ruleFileOptions(flags: Flags, streams: Streams): RuleFileOptions {
  return {
    parser: languageFeatures(flags, streams).parser,
    ignoresUnknownFields: flags.bool("ignore-unknown-fields"),
  };
}

function checkWebConfigs(files: readonly string[], { err }: Streams): number {
  let code: number = exitCode.ok;
  for (const file of files) {
    try {
      loadWebConfig(file, systemDisk);
      err(`${file} SUCCESS\n`);
    } catch (error) {
      if (!(error instanceof NarthexError)) throw error;
      err(`${file} FAILED: ${error.message}\n`);
      code = exitCode.failure;
    }
  }
  return code;
}

function checkMetrics(flags: Flags, streams: Streams): number {
  const lints = flags.text("lint") !== "none";
  if (!lints && !flags.bool("extended"))
    throw new NarthexError("bad_data", "error: at least one of --extended or linting must be enabled");
  const bytes = readFileSync(standardInput);
  try {
    const problems = lints ? lintMetrics(bytes) : [];
    for (const { metric, text } of problems) streams.err(`${metric} ${text}\n`);
    if (flags.bool("extended")) streams.out(formatCardinality(bytes));
    return problems.length > 0 ? exitCode.lint : exitCode.ok;
  } catch (error) {
    if (!(error instanceof NarthexError)) throw error;
    throw new NarthexError("bad_data", `error while linting: ${errorMessage(error)}`, { cause: error });
  }
}

function probe(endpoint: "healthy" | "ready"): Command {
  return {
    summary: `ask a server whether it is ${endpoint}`,
    flags: probeFlags,
    positionals: [],
    run: async (flags, _, streams) => {
      const client = createHttpClient(readHttpConfig(systemDisk, flags.text("http.config.file")), {
        userAgent,
      });
      try {
        const url = flags.text("url").replace(/\/+$/, "");
        const { status, body } = await client.request({
          url: `${/^https?:\/\//.test(url) ? url : `http://${url}`}/-/${endpoint}`,
          timeoutMs: probeTimeoutMs,
          bodyBytesMax: 1024 * 1024,
        });
        if (status !== 200)
          throw new NarthexError("unavailable", `check failed: URL=${url}, status=${status}`);
        streams.err(`  SUCCESS:  ${Buffer.from(body).toString()}\n`);
        return exitCode.ok;
      } finally {
        await client.close();
      }
    },
  };
}
