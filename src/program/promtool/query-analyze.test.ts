import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test, type TestContext } from "node:test";
import { promisify } from "node:util";
import { isOldPeer, peerBinary, skipWithout } from "../../../test/support/peers.ts";
import { runTool } from "./testing.ts";

const native = (job: string, ...buckets: [number, string, string, string][][]): object => ({
  metric: { __name__: "n", job },
  histograms: buckets.map((each, i) => [
    15 * i,
    { count: "9", sum: "1", ...(each.length > 0 && { buckets: each }) },
  ]),
});
const bucket = (job: string, le: string, ...counts: number[]): object => ({
  metric: { __name__: "h_bucket", ...(job !== "" && { job }), le },
  values: counts.map((count, i) => [15 * i, String(count)]),
});
const answers: Record<string, object[]> = {
  "n[1h0m0s]": [
    native(
      "a",
      [[0, "1", "2", "3"]],
      [
        [0, "1", "2", "4"],
        [0, "2", "4", "5"],
      ],
      [[0, "2", "4", "5"]],
    ),
    native("b", [], [[0, "1", "2", "3"]]),
    native("once", [[0, "1", "2", "3"]]),
    { metric: { __name__: "n", job: "float" }, values: [[0, "1"]] },
  ],
  "h_bucket[30m0s]": [
    bucket("a", "+Inf", 3, 7, 9),
    bucket("a", "1", 1, 2, 2),
    bucket("a", "2.5", 1, 2, 4),
    bucket("", "+Inf", 0, 0),
  ],
  "late[1h0m0s]": [
    bucket("a", "1", 1, 2),
    {
      ...bucket("a", "2", 1, 2),
      values: [
        [0, "1"],
        [16, "2"],
      ],
    },
  ],
};

/** A server that has these answers; resolves to its address. */
async function serve(t: TestContext): Promise<string> {
  const server = createServer((request, response) => {
    let form = "";
    request.on("data", (part: Buffer) => (form += part.toString()));
    request.on("end", () => {
      const result = answers[new URLSearchParams(form).get("query") ?? ""] ?? [];
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ status: "success", data: { resultType: "matrix", result } }));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const argsOf = (server: string, ...more: string[]): string[] => [
  "query",
  "analyze",
  `--server=${server}`,
  "--type=histogram",
  ...more,
];

test("the buckets of native and classic histograms are counted", async (t) => {
  const server = await serve(t);
  const ofNative = await runTool(...argsOf(server, "--match=n"));
  assert.deepEqual([ofNative.code, ofNative.err], [0, ""]);
  assert.equal(
    ofNative.out.slice(ofNative.out.indexOf("- ")),
    `- n{job="a"} (native): 1/1.333/2
- n{job="b"} (native): 0/0.500/1

Aggregated bucket stats
-----------------------
Each line shows min/avg/max over the series above.

Native histogram series (2 in total):
- min populated: 0/0.500/1
- avg populated: 0/0.500/1
- max populated: 1/1.500/2
`,
  );
  const classic = await runTool(...argsOf(server, "--match=h_bucket", "--duration=30m"));
  assert.equal(
    classic.out.slice(classic.out.indexOf("- ")),
    `- h_bucket{job="a"} (classic): 2/2.333/3
- h_bucket{} (classic): 0/0.000/0/1

Aggregated bucket stats
-----------------------
Each line shows min/avg/max over the series above.

Classic histogram series (2 in total):
- min populated: 0/1.000/2
- avg populated: 0/1.000/2
- max populated: 0/1.500/3
- total: 1/2.000/3
`,
  );
});

test("what cannot be analyzed is said", async (t) => {
  const server = await serve(t);
  const late = await runTool(...argsOf(server, "--match=late"));
  assert.deepEqual([late.code, late.err], [1, "matrix result is not time aligned\n"]);
  const unknown = await runTool("query", "analyze", `--server=${server}`, "--type=gauge", "--match=n");
  assert.deepEqual([unknown.code, unknown.err], [1, "analyze type is gauge, must be 'histogram'\n"]);
  const missing = await runTool("query", "analyze", `--server=${server}`, "--type=histogram");
  assert.match(missing.err, /required flag\(s\) '--match' not provided/);
});

const noPeer = skipWithout("promtool");
const skip = noPeer === false && isOldPeer("promtool") ? "older promtools do not analyze queries" : noPeer;

test("promtool counts the same", { skip }, async (t) => {
  const server = await serve(t);
  for (const more of [["--match=n"], ["--match=h_bucket", "--duration=30m"], ["--match=none"]]) {
    const { stdout } = await promisify(execFile)(peerBinary("promtool"), argsOf(server, ...more));
    const ours = await runTool(...argsOf(server, ...more));
    // Classic ones come in any order.
    assert.deepEqual(ours.out.split("\n").sort(), stdout.split("\n").sort());
  }
});
