/** What is kept, as the flags and, instead of them, the configuration say, and as it is reloaded. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { test, type TestContext } from "node:test";
import { api, type Program, startProgram, temporaryDirectory } from "./support/program.ts";

async function start(
  t: TestContext,
  config: string,
  ...flags: string[]
): Promise<{ program: Program; file: string }> {
  const directory = temporaryDirectory();
  const file = `${directory.path}/prometheus.yml`;
  writeFileSync(file, config);
  const data = `--storage.tsdb.path=${directory.path}/data`;
  const lifecycle = "--web.enable-lifecycle";
  const program = await startProgram("server", [`--config.file=${file}`, data, lifecycle, ...flags]);
  t.after(async () => {
    await program.end("SIGTERM");
    directory.remove();
  });
  return { program, file };
}

/** As the status page has it, and as the metrics have it: seconds, bytes, percentage. */
async function shown({ url }: Program): Promise<unknown[]> {
  const { storageRetention } = await api<{ storageRetention: string }>(url, "status/runtimeinfo");
  const metrics = await (await fetch(`${url}/metrics`)).text();
  const limit = (unit: string): number =>
    Number(new RegExp(`^prometheus_tsdb_retention_limit_${unit} (\\S+)$`, "m").exec(metrics)![1]);
  return [storageRetention, limit("seconds"), limit("bytes"), limit("percentage")];
}

const retention = (fields: string): string => `storage: { tsdb: { retention: { ${fields} } } }\n`;

test("the configuration's retention stands instead of the flags', and is reloaded", async (t) => {
  const { program, file } = await start(t, "{}\n", "--storage.tsdb.retention.time=30d");
  assert.deepEqual(await shown(program), ["30d", 2_592_000, 0, 0]);
  const { yaml } = await api<{ yaml: string }>(program.url, "status/config");
  assert.match(yaml, /storage:\n {2}tsdb:\n {4}retention:\n {6}time: 30d\n/);
  for (const [fields, expected] of [
    ["percentage: 12.5", ["12.5%", 0, 0, 12.5]],
    ["time: 2h, size: 1GB", ["2h or 1GiB", 7200, 1024 ** 3, 0]],
    ["time: 1d, size: 1GB, percentage: 50", ["1d or 1GiB or 50%", 86_400, 1024 ** 3, 50]],
  ] as const) {
    writeFileSync(file, retention(fields));
    assert.equal((await fetch(`${program.url}/-/reload`, { method: "POST" })).status, 200);
    assert.deepEqual(await shown(program), expected);
  }
  assert.match(program.log(), /storage\.tsdb\.retention\.size is ignored/);
  writeFileSync(file, "{}\n");
  await fetch(`${program.url}/-/reload`, { method: "POST" });
  assert.deepEqual(await shown(program), ["30d", 2_592_000, 0, 0]);
});

test("without any bound samples are kept for 15 days, with one by size as long as there is room", async (t) => {
  const { program } = await start(t, "{}\n");
  assert.deepEqual(await shown(program), ["15d", 1_296_000, 0, 0]);
  const { program: sized } = await start(t, "{}\n", "--storage.tsdb.retention.size=1536MB");
  assert.deepEqual(await shown(sized), ["1GiB512MiB", 0, 1536 * 1024 ** 2, 0]);
});
