import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { createContext, runInContext } from "node:vm";
import { build, type Rolldown } from "vite";

const source = `
import { exprToJson } from ${JSON.stringify(join(import.meta.dirname, "ast-json.ts"))};
import { parseExpr } from ${JSON.stringify(join(import.meta.dirname, "parser.ts"))};
import { prettyPrint } from ${JSON.stringify(join(import.meta.dirname, "printer.ts"))};
globalThis.promql = (query) => prettyPrint(parseExpr(query)) + " " + exprToJson(parseExpr(query)).type;
`;

/** The language as one script, as a browser would load it. */
async function bundle(): Promise<string> {
  const entry = "virtual:language";
  const built = (await build({
    configFile: false,
    logLevel: "silent",
    plugins: [
      {
        name: "entry",
        resolveId: (id) => (id === entry ? id : undefined),
        load: (id) => (id === entry ? source : undefined),
      },
    ],
    build: { write: false, minify: false, rolldownOptions: { input: entry, output: { format: "iife" } } },
  })) as Rolldown.RolldownOutput;
  return built.output[0].code;
}

test("the language runs where there is no Node", async () => {
  // What browsers have beyond the language itself, and nothing of Node.
  const browser = createContext({ TextEncoder, TextDecoder, performance, URL });
  runInContext(await bundle(), browser);
  const run = (query: string): unknown => runInContext(`promql(${JSON.stringify(query)})`, browser);
  assert.equal(
    run("sum(rate(foo{a=~'x.*'}[5m]))by(job)"),
    'sum by (job) (rate(foo{a=~"x.*"}[5m])) aggregation',
  );
  assert.throws(() => run("sum(foo"), { message: "1:8: parse error: unclosed left parenthesis" });
});
