import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { createLogger } from "../../../base/index.ts";
import { createNodeExporter } from "../exporter.ts";

const root = mkdtempSync(join(tmpdir(), "narthex-textfile-"));
after(() => rmSync(root, { recursive: true }));

interface Result {
  /** The exposed lines, those about the scrape left out. */
  readonly lines: string[];
  readonly logged: string;
}

async function collect(directories: readonly string[], collectors = ["textfile"]): Promise<Result> {
  let logged = "";
  const exporter = createNodeExporter(
    { collectors, textfileDirectories: directories, disableExporterMetrics: true },
    { log: createLogger({ write: (line) => (logged += line) }) },
  );
  const text = await exporter.collect();
  exporter.close();
  const lines = text
    .split("\n")
    .filter((line) => line !== "" && !/^(# (HELP|TYPE) )?node_(scrape|exporter)/.test(line));
  return { lines: lines.filter((line) => !/^# (HELP|TYPE) node_/.test(line)), logged };
}

function directory(name: string, files: Readonly<Record<string, string>>): string {
  const path = join(root, name);
  mkdirSync(path);
  for (const [file, text] of Object.entries(files)) {
    writeFileSync(join(path, file), text);
    utimesSync(join(path, file), 1700000000.9, 1700000000.9);
  }
  return path;
}

test("all files of all directories, joined by family", async () => {
  const a = directory("glob-a", {
    "1.prom": '# HELP jobs Jobs.\n# TYPE jobs counter\njobs{q="a"} 1\nlonely 5\n',
    "2.prom":
      'jobs{q="b"} 2\n# TYPE jobs counter\n# TYPE h histogram\nh_bucket{le="1"} 1\nh_sum 1\nh_count 1\n',
    "ignored.txt": "nonsense",
  });
  directory("glob-b", { "3.prom": "other 1\n" });
  const { lines, logged } = await collect([join(root, "glob-[a-b]")]);
  assert.deepEqual(lines, [
    "# HELP h Metric read from " + join(a, "2.prom"),
    "# TYPE h histogram",
    'h_bucket{le="1"} 1',
    "h_sum 1",
    "h_count 1",
    "# HELP jobs Jobs.",
    "# TYPE jobs counter",
    'jobs{q="a"} 1',
    'jobs{q="b"} 2',
    `# HELP lonely Metric read from ${join(a, "1.prom")}`,
    "# TYPE lonely untyped",
    "lonely 5",
    `node_textfile_mtime_seconds{file="${join(a, "1.prom")}"} 1.7e+09`,
    `node_textfile_mtime_seconds{file="${join(a, "2.prom")}"} 1.7e+09`,
    `node_textfile_mtime_seconds{file="${join(root, "glob-b", "3.prom")}"} 1.7e+09`,
    "node_textfile_scrape_error 0",
    `# HELP other Metric read from ${join(root, "glob-b", "3.prom")}`,
    "# TYPE other untyped",
    "other 1",
  ]);
  assert.equal(logged, "");
});

test("no directory is no error, a missing one is", async () => {
  assert.deepEqual((await collect([])).lines, ["node_textfile_scrape_error 0"]);
  const { lines, logged } = await collect([join(root, "absent")]);
  assert.deepEqual(lines, ["node_textfile_scrape_error 1"]);
  assert.match(logged, /failed to read textfile collector directory/);
});

test("a bad file is left out whole, the others stay", async () => {
  const path = directory("bad", {
    "good.prom": "good 1\n",
    "malformed.prom": "fine 1\nnot fine at all\n",
    "timestamp.prom": "stamped 1 1700000000000\n",
    "name.prom": '{"dotted.name"} 1\n',
  });
  execFileSync("mkfifo", [join(path, "pipe.prom")]);
  const { lines, logged } = await collect([path]);
  assert.deepEqual(
    lines.filter((line) => !line.startsWith("#")),
    [
      "good 1",
      `node_textfile_mtime_seconds{file="${join(path, "good.prom")}"} 1.7e+09`,
      "node_textfile_scrape_error 1",
    ],
  );
  assert.match(logged, /file=malformed.prom err="line 2, column 5: expected a number as value/);
  assert.match(logged, /file=timestamp.prom .*unsupported client-side timestamps/);
  assert.match(logged, /file=name.prom .*invalid name/);
  assert.match(logged, /file=pipe.prom .*is not a file/);
});

test("conflicts between files, and with the exporter's own metrics, cost only what conflicts", async () => {
  const path = directory("conflict", {
    "1.prom": "# HELP a First.\na 1\n# TYPE t gauge\nt 1\nsame 1\n# TYPE node_load1 gauge\nnode_load1 99\n",
    "2.prom": '# HELP a Second.\na{x="y"} 2\n# TYPE t counter\nt{x="y"} 2\nsame 2\n',
  });
  const { lines, logged } = await collect([path], ["loadavg", "textfile"]);
  const values = lines.filter((line) => !line.startsWith("#") && !line.startsWith("node_"));
  assert.deepEqual(values, ["a 1", "same 1", "t 1"]);
  assert.ok(lines.includes("node_textfile_scrape_error 1"));
  assert.equal(lines.filter((line) => line.startsWith("node_load1 ")).length, 1);
  assert.ok(!lines.includes("node_load1 99"));
  for (const fault of ["help text", "metric type", "twice", "already exposed"])
    assert.ok(logged.includes(fault), fault);
});
