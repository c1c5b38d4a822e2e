/** Since when counters count, from a target's `_created` to answers, also after a crash. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { api, eventually, type Program, startProgram, temporaryDirectory } from "./support/program.ts";
import { startTestServer } from "./support/targets.ts";

const createdSeconds = 1_600_000_000;
const exposition = `# TYPE requests counter
requests_total 5
requests_created ${createdSeconds}
# TYPE temperature gauge
temperature 20
# EOF
`;

interface Vector {
  result: { metric: Record<string, string>; value: [number, string] }[];
}

async function values({ url }: Program, query: string): Promise<string[]> {
  const { result } = await api<Vector>(url, `query?query=${encodeURIComponent(query)}`);
  return result.map(({ value }) => value[1]);
}

test("since when a counter counts is scraped, stored, used, and there after a crash", async (t) => {
  const directory = temporaryDirectory();
  const target = await startTestServer((_, response) => {
    response.setHeader("content-type", "application/openmetrics-text; version=1.0.0; charset=utf-8");
    response.end(exposition);
  });
  t.after(() => {
    target.close();
    directory.remove();
  });
  const start = (name: string, config: string): Promise<Program> => {
    const file = join(directory.path, name);
    writeFileSync(file, config);
    return startProgram("server", [
      `--config.file=${file}`,
      `--storage.tsdb.path=${join(directory.path, "data")}`,
      "--enable-feature=st-storage,use-start-timestamps,promql-experimental-functions",
    ]);
  };
  const job = `{ job_name: x, scrape_interval: 100ms, scrape_timeout: 100ms, static_configs: [{ targets: ["${target.address}"] }] }`;
  const first = await start("busy.yml", `scrape_configs: [${job}]\n`);
  t.after(() => first.end("SIGKILL"));
  await eventually(
    () => values(first, "count_over_time(requests_total[1m])"),
    ([count]) => Number(count) > 2,
  );
  const check = async (program: Program): Promise<void> => {
    assert.deepEqual(await values(program, "start_timestamp(last_over_time(requests_total[1m]))"), []);
    assert.deepEqual(await values(program, "start_timestamp(requests_total)"), [`${createdSeconds}`]);
    assert.deepEqual(await values(program, "start_timestamp(temperature)"), ["0"]);
    assert.deepEqual(await values(program, "requests_created"), []);
  };
  await check(first);
  assert.equal((await api<{ tsdb: { st_storage: boolean } }>(first.url, "features")).tsdb.st_storage, true);
  await first.end("SIGKILL");
  const second = await start("idle.yml", "");
  t.after(() => second.end("SIGKILL"));
  await check(second);
  await second.end("SIGTERM");
});
