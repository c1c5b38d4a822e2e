/** `narthex [ROLE] [flags]`: one command for every program; without a role, everything at once. */
import { versionText } from "./version.ts";

interface Role {
  summary: string;
  run(args: string[]): Promise<void>;
}

const allInOne: Role = {
  summary: "everything in one process: server, Alertmanager, node exporter and web UI (the default)",
  run: async (args) => (await import("./all-in-one.ts")).runAllInOne(args),
};

const roles: Readonly<Record<string, Role>> = {
  "all-in-one": allInOne,
  server: {
    summary: "the Prometheus server",
    run: async (args) => (await import("./server.ts")).runServer(args),
  },
  alertmanager: {
    summary: "the Alertmanager",
    run: async (args) => (await import("./alertmanager.ts")).runAlertmanager(args),
  },
  "node-exporter": {
    summary: "metrics of this machine",
    run: async (args) => (await import("./node-exporter.ts")).runNodeExporter(args),
  },
  promtool: {
    summary: "tools for configurations, rules, expositions and data directories",
    run: async (args) => (await import("./promtool.ts")).runPromtool(args),
  },
};

function help(): string {
  const lines = Object.entries(roles).map(([name, { summary }]) => `  ${name.padEnd(15)} ${summary}`);
  return `usage: narthex [ROLE] [flags]\n\nRoles:\n${lines.join("\n")}\n\nnarthex ROLE --help lists the flags of a role.\n`;
}

const [first, ...rest] = process.argv.slice(2);
if (first === "help") process.stdout.write(help());
else if (first === "--version") process.stdout.write(versionText());
else if (first === undefined || first.startsWith("-")) await allInOne.run(process.argv.slice(2));
else if (Object.hasOwn(roles, first)) await roles[first]!.run(rest);
else {
  process.stderr.write(`narthex: unknown role ${JSON.stringify(first)}\n\n${help()}`);
  process.exit(2);
}
