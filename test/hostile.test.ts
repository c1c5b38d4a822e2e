/** Hostile and broken input to a whole server: it stays up, other targets are scraped in time, and what is wrong is said. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import { measureMachineDelay, type WaitWatch, watchWaits } from "./support/machine-delay.ts";
import {
  api,
  eventually,
  instantQuery,
  type Program,
  startProgram,
  temporaryDirectory,
} from "./support/program.ts";
import { startTarget, startTestServer, type TestServer } from "./support/targets.ts";

const textType = { "content-type": "text/plain; version=0.0.4" };
const mebibyte = 1024 * 1024;

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

function answer(body: string | Buffer, headers: Record<string, string> = textType, status = 200): Handler {
  return (_, response) => {
    response.writeHead(status, headers);
    response.end(body);
  };
}

/** Sends a chunk every `delayMs` as long as somebody listens. */
function endless(chunk: string, delayMs: number): Handler {
  return (_, response) => {
    response.writeHead(200, textType);
    response.on("error", () => {});
    const timer = setInterval(() => response.write(chunk), delayMs);
    response.on("close", () => clearInterval(timer));
  };
}

/** Each a target of its own; the error is what the targets page says, and "" means that the scrape succeeds. */
const targets: readonly { name: string; handle: Handler; error: RegExp; bodyLimit?: string }[] = [
  { name: "garbage", handle: answer("\x00\xff{]not metrics\n"), error: /1:\d|line 1/ },
  {
    name: "binary",
    handle: answer(Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * 7919) % 256))),
    error: /./,
  },
  { name: "malformed", handle: answer("good 1\nbad{a=} 1\n"), error: /2:\d|line 2/ },
  {
    name: "html",
    handle: answer("<html></html>", { "content-type": "text/html" }),
    error: /Content-Type.*text\/html/,
  },
  { name: "no-type", handle: answer("a 1\n", {}), error: /Content-Type/ },
  { name: "status", handle: answer("no", textType, 503), error: /server returned HTTP status 503/ },
  {
    name: "endless",
    handle: endless(`${"x".repeat(64 * 1024)}\n`, 1),
    error: /body size limit|limit exceeded|deadline/,
  },
  { name: "slow", handle: endless("a", 50), error: /context deadline exceeded/ },
  { name: "silent", handle: () => {}, error: /context deadline exceeded/ },
  {
    name: "bomb",
    handle: answer(gzipSync(Buffer.alloc(200 * mebibyte, "a 1\n")), {
      ...textType,
      "content-encoding": "gzip",
    }),
    error: /limit/,
  },
  { name: "not-gzip", handle: answer("a 1\n", { ...textType, "content-encoding": "gzip" }), error: /gzip/ },
  {
    name: "cut-gzip",
    handle: answer(gzipSync("a 1\n".repeat(1000)).subarray(0, 30), {
      ...textType,
      "content-encoding": "gzip",
    }),
    error: /./,
  },
  {
    name: "cut-body",
    handle: (_, response) => {
      response.writeHead(200, { ...textType, "content-length": "1000" });
      response.write("a 1\n");
      setTimeout(() => response.destroy(), 10);
    },
    error: /./,
  },
  {
    name: "huge-label",
    handle: answer(`a{b="${"x".repeat(10 * mebibyte)}"} 1\n`),
    error: /^$/,
    bodyLimit: "20MB",
  },
  { name: "duplicates", handle: answer("a 1\na 2\na 1\n"), error: /^$/ },
  {
    name: "many-labels",
    handle: answer(`a{${Array.from({ length: 40 }, (_, i) => `l${i}="x"`).join(",")}} 1\n`),
    error: /label_limit/,
  },
  {
    name: "many-samples",
    handle: answer(Array.from({ length: 2000 }, (_, i) => `a{i="${i}"} 1\n`).join("")),
    error: /sample limit exceeded/,
  },
  { name: "far-future", handle: answer("a 1 4071000000000\nb 1\n"), error: /^$/ },
  { name: "far-past", handle: answer("a 1 1000\nb 1\n"), error: /^$/ },
  { name: "empty", handle: answer(""), error: /^$/ },
];

const directory = temporaryDirectory();
const servers: TestServer[] = [];
let program: Program;

interface TargetView {
  scrapePool: string;
  lastError: string;
  lastScrape: string;
  health: string;
}

async function targetViews(): Promise<Map<string, TargetView>> {
  const { activeTargets } = await api<{ activeTargets: TargetView[] }>(program.url, "targets");
  return new Map(activeTargets.map((view) => [view.scrapePool, view]));
}

async function post(
  path: string,
  body: string | Uint8Array<ArrayBuffer> | URLSearchParams | ReadableStream,
  headers: Record<string, string> = {},
): Promise<{ status: number; text: string }> {
  const response = await fetch(`${program.url}${path}`, {
    method: "POST",
    headers: { "content-type": "application/x-www-form-urlencoded", ...headers },
    body,
    ...(body instanceof ReadableStream && { duplex: "half" }),
  } as RequestInit);
  return { status: response.status, text: await response.text() };
}

const query = (text: string): Promise<{ status: number; text: string }> =>
  post("/api/v1/query", new URLSearchParams({ query: text, time: "5" }));

async function isUp(): Promise<void> {
  assert.equal(program.child.exitCode, null, program.log());
  assert.equal((await instantQuery(program.url, "vector(1)")).result.length, 1);
}

const machine = measureMachineDelay();
let waits: WaitWatch;
/** When every target has been read: what is seen for the first time costs more than later. */
let settledMs = 0;

/** No scrape of the good target is missed, unless the machine could do no better. */
function assertInTime(scrapes: readonly (readonly [seconds: number, value: string])[]): void {
  const times = scrapes.map(([seconds]) => seconds * 1000).filter((timeMs) => timeMs >= settledMs);
  const gaps = times.slice(1).map((timeMs, i) => timeMs - times[i]!);
  const allowed = gaps.map((_, i) => 1000 + machine.maxMs() + waits.waitedMs(times[i]!, times[i + 1]!));
  const isLate = gaps.some((gapMs, i) => gapMs >= allowed[i]!);
  assert.ok(
    !isLate,
    `gaps of ${gaps.join(", ")} ms, where ${allowed.map(Math.round).join(", ")} were allowed`,
  );
}

describe("hostile input", () => {
  before(async () => {
    const good = await startTarget(() => "good 1\n");
    servers.push(good);
    const jobs = [
      `- { job_name: good, scrape_interval: 500ms, static_configs: [{ targets: ["${good.address}"] }] }`,
    ];
    for (const { name, handle, bodyLimit = "2MB" } of targets) {
      const server = await startTestServer(handle);
      servers.push(server);
      jobs.push(
        `- { job_name: ${name}, body_size_limit: ${bodyLimit}, sample_limit: 1000, label_limit: 30, static_configs: [{ targets: ["${server.address}"] }] }`,
      );
    }
    const config = join(directory.path, "prometheus.yml");
    writeFileSync(
      config,
      `global: { scrape_interval: 2s, scrape_timeout: 500ms }\nscrape_configs:\n${jobs.join("\n")}\n`,
    );
    program = await startProgram("server", [
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(directory.path, "data")}`,
      "--query.timeout=5s",
    ]);
    waits = watchWaits(program.child.pid!);
  });
  after(async () => {
    machine.close();
    waits.close();
    const code = await program?.end("SIGTERM");
    for (const server of servers) server.close();
    directory.remove();
    assert.equal(code, 0);
  });

  test("each broken target says what is wrong with it", async () => {
    // At its start the machine may be too busy for some to be read in time; each gets another chance.
    const isSettled = (views: Map<string, TargetView>): boolean =>
      targets.every(
        ({ name, error }) => error.test(views.get(name)!.lastError) && views.get(name)!.health !== "unknown",
      );
    const views = await eventually(targetViews, isSettled).catch(targetViews);
    settledMs = Date.now();
    for (const { name, error } of targets) {
      const { lastError, health } = views.get(name)!;
      const isFine = error.source === "^$";
      assert.match(lastError, error, name);
      assert.equal(health, isFine ? "up" : "down", `${name}: ${lastError}`);
      assert.ok(lastError.length < 1000, `${name}: ${lastError.length} characters`);
    }
  });

  test("the good target is scraped in time all the while", async () => {
    await eventually(
      () => instantQuery(program.url, "count_over_time(good[1m])"),
      ({ result }) => Number(result[0]?.value[1]) >= 16,
    );
    const { result } = (await instantQuery(program.url, "good[1m]")) as unknown as {
      result: { values: [number, string][] }[];
    };
    assertInTime(result[0]!.values);
    assert.equal(
      Number((await instantQuery(program.url, "min_over_time(up{job='good'}[1m])")).result[0]!.value[1]),
      1,
    );
  });

  test("a sample dated 2098 does not stop those of today", async () => {
    await eventually(
      () => instantQuery(program.url, 'count_over_time(b{job="far-future"}[1m])'),
      ({ result }) => Number(result[0]?.value[1]) >= 2,
    );
  });

  const badQueries: readonly [string, string, RegExp][] = [
    ["deep parentheses", "(".repeat(100_000) + "1" + ")".repeat(100_000), /./],
    ["deep calls", "abs(".repeat(20_000) + "x" + ")".repeat(20_000), /./],
    ["deep minus", "-".repeat(100_000) + "x", /./],
    ["deep subqueries", "x" + "[1m:1s]".repeat(5000), /./],
    ["a long chain", Array.from({ length: 50_000 }, () => "x").join("+"), /./],
    ["an endless string", `"${"x".repeat(mebibyte)}`, /unterminated/],
    ["no text", "\x00\x01\x02", /parse error/],
    ["broken UTF-16", "\ud800", /./],
    ["a catastrophic pattern", `x{a=~"(((a+)+)+)+$"}`, /success/],
    ["a huge repetition", `x{a=~"((a{1000}){1000}){1000}"}`, /invalid repeat count|too large|error/],
    [
      "an enormous alternation",
      `x{a=~"${Array.from({ length: 100_000 }, (_, i) => `v${i}`).join("|")}"}`,
      /./,
    ],
    ["an enormous number", "9".repeat(100_000), /./],
    ["an enormous duration", "x[99999999999999999y]", /error/],
    ["too many steps in a subquery", "sum_over_time(vector(1)[100y:1ms])", /error/],
  ];
  for (const [name, text, expected] of badQueries) {
    test(`a query: ${name}`, async () => {
      const { status, text: body } = await query(text);
      assert.ok([200, 400, 422, 503].includes(status), `${status} ${body.slice(0, 200)}`);
      assert.match(body, expected);
      assert.ok(body.length < 2 * text.length + 2000, "the error does not repeat more than the query");
      await isUp();
    });
  }

  test("a range of more than 11,000 steps is refused", async () => {
    const body = new URLSearchParams({ query: "good", start: "0", end: "11001", step: "1" });
    const { status, text } = await post("/api/v1/query_range", body);
    assert.equal(status, 400);
    assert.match(text, /exceeded maximum resolution of 11,000 points/);
  });

  test("bodies that are too long, cut, of another type or no text at all", async () => {
    const long = await post("/api/v1/query", `query=${"x".repeat(11 * mebibyte)}`);
    assert.deepEqual([long.status, /larger than 10485760 bytes/.test(long.text)], [400, true]);
    const chunk = new TextEncoder().encode("x".repeat(mebibyte));
    let left = 40;
    const stream = new ReadableStream({
      pull: (controller) => (left-- > 0 ? controller.enqueue(chunk) : controller.close()),
    });
    const streamed = await post("/api/v1/query", stream).catch(() => ({ status: 400, text: "cut" }));
    assert.equal(streamed.status, 400);
    for (const [body, headers] of [
      ["%", {}],
      ["query=%zz&time=%", {}],
      ["&&&=&=", {}],
      [Buffer.from([0xff, 0xfe, 0x00]), {}],
      ['{"query":"1"}', { "content-type": "application/json" }],
      ["query=1", { "content-type": "multipart/form-data" }],
    ] as const) {
      const { status, text } = await post("/api/v1/query", body, headers);
      assert.equal(status, 400, text);
      assert.equal((JSON.parse(text) as { errorType: string }).errorType, "bad_data");
    }
    await isUp();
  });

  test("requests that are no HTTP, have huge headers or never end", async () => {
    const { hostname, port } = new URL(program.url);
    const raw = (bytes: string): Promise<string> =>
      new Promise((resolve) => {
        let got = "";
        const socket = connect(Number(port), hostname, () => socket.end(bytes));
        socket.on("data", (data) => (got += data.toString()));
        socket.on("error", () => {});
        socket.on("close", () => resolve(got));
      });
    assert.match(await raw("nonsense\r\n\r\n"), /^HTTP\/1\.1 400 /);
    assert.match(
      await raw(`GET / HTTP/1.1\r\nhost: x\r\nx: ${"y".repeat(100_000)}\r\n\r\n`),
      /^HTTP\/1\.1 431 /,
    );
    assert.match(
      await raw("GET /%zz%00/../../etc/passwd HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"),
      /^HTTP\/1\.1 4/,
    );
    assert.match(
      await raw(`GET /${"a".repeat(10_000)} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`),
      /^HTTP\/1\.1 4/,
    );
    const half = connect(Number(port), hostname, () =>
      half.write("POST /api/v1/query HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nquery"),
    );
    half.on("error", () => {});
    await isUp();
    half.destroy();
  });

  test("a heavy query does not hold up scrapes", async () => {
    const startMs = Date.now();
    const heavy = await Promise.all(
      Array.from({ length: 4 }, () =>
        post(
          "/api/v1/query_range",
          new URLSearchParams({
            query: "sum(sum_over_time(vector(1)[1h:10ms]))",
            start: String(startMs / 1000 - 600),
            end: String(startMs / 1000),
            step: "0.1",
          }),
        ),
      ),
    );
    for (const { status, text } of heavy)
      assert.ok([200, 422, 503].includes(status), `${status} ${text.slice(0, 200)}`);
    await isUp();
    const { result } = (await instantQuery(program.url, "good[20s]")) as unknown as {
      result: { values: [number, string][] }[];
    };
    assertInTime(result[0]!.values);
  });
});
