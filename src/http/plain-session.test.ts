import assert from "node:assert/strict";
import net from "node:net";
import test, { type TestContext } from "node:test";
import zlib from "node:zlib";
import { PlainRequestReader } from "./plain-request.ts";
import { createServer, type PlainCall, type PlainRoute } from "./index.ts";

interface Answer {
  status: number;
  headers: Map<string, string>;
  body: Buffer;
}

/** A server that is told to close, or that is closed, does so in far less. */
const closingMsMax = 20_000;
const pieceMs = 100;

function echo(method: string, path: string, query: string, form: string): string {
  return JSON.stringify({ method, path, query, form });
}

const plainEcho: PlainRoute = ({ request: { method, path, query, form } }) =>
  plainAnswer(echo(method, path, query, form));

function plainAnswer(text: string) {
  return {
    status: 200,
    contentType: "application/json",
    headerLines: "vary: Origin\r\n",
    body: Buffer.from(text),
  };
}

async function open(t: TestContext, routes: Record<string, PlainRoute> | undefined, readTimeoutMs = 60_000) {
  const server = await createServer({
    listenAddresses: ["127.0.0.1:0"],
    readTimeoutMs,
    ...(routes && { plainRoutes: new Map(Object.entries(routes)) }),
    fetch: async (request) => {
      const { pathname, search } = new URL(request.url);
      const form = request.method === "POST" ? await request.text() : "";
      return new Response(echo(request.method, pathname, search.slice(1), form), {
        headers: { "content-type": "application/json", "x-from": "fetch" },
      });
    },
  });
  t.after(() => server.close(0));
  return { server, port: Number(new URL(server.urls[0]!).port) };
}

/** Sends pieces, each when the one before is answered or a moment later, and gives what came back until the server closed. */
function converse(port: number, pieces: readonly Buffer[]): Promise<Buffer> {
  return new Promise((resolve) => {
    const got: Buffer[] = [];
    const socket = net.connect(port, "127.0.0.1");
    const done = (): void => {
      socket.destroy();
      resolve(Buffer.concat(got));
    };
    socket.setNoDelay(true);
    socket.setTimeout(closingMsMax, done);
    let sent = 0;
    let timer: NodeJS.Timeout | undefined;
    const send = (): void => {
      clearTimeout(timer);
      if (sent >= pieces.length || socket.destroyed) return;
      socket.write(pieces[sent++]!);
      timer = setTimeout(send, pieceMs);
    };
    socket.on("data", (bytes: Buffer) => {
      got.push(bytes);
      send();
    });
    socket.on("end", done).on("error", done).on("connect", send);
  });
}

/** The answers in what a server said; all of those asked for here say how long they are. */
function parseAnswers(bytes: Buffer): Answer[] {
  const answers: Answer[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = bytes.indexOf("\r\n\r\n", at);
    const [line, ...lines] = bytes.toString("latin1", at, end).split("\r\n");
    const headers = new Map(lines.map((each) => each.toLowerCase().split(": ") as [string, string]));
    const status = Number(line!.split(" ")[1]);
    const bodyEnd = end + 4 + Number(headers.get("content-length") ?? 0);
    answers.push({ status, headers, body: bytes.subarray(end + 4, bodyEnd) });
    at = bodyEnd;
  }
  return answers;
}

function get(path: string, ...lines: string[]): Buffer {
  return Buffer.from([`GET ${path} HTTP/1.1`, "Host: x", ...lines, "", ""].join("\r\n"));
}

function post(path: string, form: string, ...lines: string[]): Buffer {
  const type = "Content-Type: application/x-www-form-urlencoded";
  return Buffer.from(
    [`POST ${path} HTTP/1.1`, "Host: x", type, ...lines, `Content-Length: ${form.length}`, "", form].join(
      "\r\n",
    ),
  );
}

const requestsOfAllKinds = [
  get("/q?a=1"),
  get("/q"),
  get("/q?a=%20+b", "Accept-Encoding: gzip", "Connection: keep-alive"),
  get("/q?a=2", "Connection: close"),
  post("/q", "a=1&b=2"),
  post("/q?x=y", "query=up"),
  get("/q?a=1", "Content-Length: 0"),
  get("/q", "Content-Length: 4", "Content-Length: 5"),
  post("/q", "a=1", "Transfer-Encoding: chunked"),
  get("/q", "X-Folded: a\r\n b"),
  Buffer.from("GET /q HTTP/1.0\r\n\r\n"),
  Buffer.from("GET /q HTTP/1.1\nHost: x\n\n"),
  Buffer.from("GET /q#f HTTP/1.1\r\nHost: x\r\n\r\n"),
  Buffer.from("GET /q HTTP/1.1\r\n\r\n"),
  Buffer.from("GET http://x/q?a=1 HTTP/1.1\r\nHost: x\r\n\r\n"),
  get("/q", "Host: y"),
  get("/q", "Bad Name: y"),
  get("/q", "Content-Length: +3"),
  get("/q", "Expect: 100-continue"),
  get(`/q?a=${"y".repeat(7000)}`),
];
const oddPieces = [
  "\r",
  "\n",
  "\0",
  " ",
  ":",
  "\t",
  "\xff",
  "\r\n",
  "#",
  "?",
  "%",
  "chunked",
  "GET",
  "HTTP/2.0",
  "1",
  "Content-Length: 1\r\n",
  "\r\nContent-Length : 1",
  "\r\nTransfer-Encoding: chunked",
  "\r\n\r\n",
];

test("plain requests are answered by their route, everything else by the server", async (t) => {
  const { port } = await open(t, { "/q": plainEcho });
  const requests = [get("/q?a=1"), post("/q?b=2", "c=3"), get("/other"), get("/q?a=4", "Connection: close")];
  const answers = parseAnswers(await converse(port, requests));
  assert.deepEqual(
    answers.map(({ headers }) => headers.get("x-from")),
    // Once the server has the connection, it keeps it.
    [undefined, undefined, "fetch", "fetch"],
  );
  assert.deepEqual(
    answers.map(({ body }) => JSON.parse(body.toString()) as unknown),
    [
      { method: "GET", path: "/q", query: "a=1", form: "" },
      { method: "POST", path: "/q", query: "b=2", form: "c=3" },
      { method: "GET", path: "/other", query: "", form: "" },
      { method: "GET", path: "/q", query: "a=4", form: "" },
    ],
  );
  const [first] = answers;
  assert.equal(first!.headers.get("vary"), "origin");
  assert.ok(Math.abs(Date.parse(first!.headers.get("date")!) - Date.now()) < 5000);
});

test("what is taken for a plain request is the same request to the server", async (t) => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  t.diagnostic(`seed ${seed}`);
  let state = seed;
  const random = (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    return Math.floor((state / 0x8000_0000) * below);
  };
  const pick = <T>(all: readonly T[]): T => all[random(all.length)]!;
  const mutate = (text: string): string => {
    const at = random(text.length);
    const kept = pick([text.slice(at), text.slice(at + 1), text.slice(at + random(20))]);
    return text.slice(0, at) + pick(oddPieces) + kept;
  };
  const { port } = await open(t, undefined);
  const last = get("/q?last=1", "Connection: close");
  let taken = 0;
  const check = async (): Promise<void> => {
    let text = pick(requestsOfAllKinds).toString("latin1");
    for (let i = random(4); i > 0; i--) text = mutate(text);
    const bytes = Buffer.from(text, "latin1");
    const request = new PlainRequestReader().read(bytes);
    if (request === undefined) return;
    taken++;
    const { method, path, query, form, length } = request;
    const pieces: Uint8Array[] = [bytes.subarray(0, length)];
    const expected = [echo(method, path, query, form)];
    if (!request.headers.isLast) {
      // What follows shows that both see the same end.
      pieces.push(last);
      expected.push(echo("GET", "/q", "last=1", ""));
    }
    const answered = await converse(port, [Buffer.concat(pieces)]);
    assert.deepEqual(answered.toString().match(/\{"method".*?\}/g), expected, JSON.stringify(text));
  };
  for (let i = 0; i < 50; i++) await Promise.all(Array.from({ length: 40 }, check));
  assert.ok(taken > 200, `${taken} of 2000 were plain`);
});

test("a request that is the last of its connection is answered, and nothing after it", async (t) => {
  const { port } = await open(t, { "/q": plainEcho });
  const requests = [get("/q?a=1"), get("/q?a=2", "Connection: close"), get("/q?a=3")];
  const answers = parseAnswers(await converse(port, [Buffer.concat(requests)]));
  assert.deepEqual(
    answers.map(({ headers }) => [headers.get("x-from"), headers.get("connection")]),
    [
      [undefined, "keep-alive"],
      [undefined, "close"],
    ],
  );
});

test("requests that come in pieces are answered", async (t) => {
  const { port } = await open(t, { "/q": plainEcho });
  const request = post("/q?a=1", "b=2", "Connection: close");
  const ask = async (at: number): Promise<void> => {
    const answered = await converse(port, [request.subarray(0, at), request.subarray(at)]);
    assert.match(answered.toString(), /"query":"a=1","form":"b=2"/, `cut at ${at}`);
  };
  await Promise.all(Array.from({ length: request.length - 1 }, (_, i) => ask(i + 1)));
});

test("answers come in the order of the requests, and large ones are compressed for those who accept it", async (t) => {
  const slow: PlainRoute = () => new Promise((resolve) => setTimeout(resolve, 50, plainAnswer("slow")));
  const large: PlainRoute = () => Promise.resolve(plainAnswer("x".repeat(100_000)));
  const { port } = await open(t, { "/slow": slow, "/large": large, "/q": plainEcho });
  const requests = [get("/slow"), get("/q"), get("/large", "Accept-Encoding: gzip"), get("/large")];
  requests.push(get("/end", "Connection: close"));
  const answers = parseAnswers(await converse(port, [Buffer.concat(requests)]));
  assert.deepEqual(
    answers.map(({ body }) => body.length),
    [4, answers[1]!.body.length, answers[2]!.body.length, 100_000, answers[4]!.body.length],
  );
  assert.match(answers[1]!.body.toString(), /"path":"\/q"/);
  assert.equal(answers[2]!.headers.get("content-encoding"), "gzip");
  assert.equal(zlib.gunzipSync(answers[2]!.body).length, 100_000);
});

test("a thousand requests that come at once are answered one after the other, at once or later", async (t) => {
  const later: PlainRoute = (call) => Promise.resolve(plainEcho(call)!);
  const { port } = await open(t, { "/now": plainEcho, "/later": later });
  const paths = Array.from({ length: 1000 }, (_, i) => `/${i % 7 === 0 ? "later" : "now"}?${i}`);
  const requests = [...paths.map((path) => get(path)), get("/now?last", "Connection: close")];
  const answers = parseAnswers(await converse(port, [Buffer.concat(requests)]));
  const queries = answers.map(({ body }) => (JSON.parse(body.toString()) as { query: string }).query);
  assert.deepEqual(queries, [...paths.keys(), "last"].map(String));
  assert.ok(answers.every(({ headers }) => !headers.has("x-from")));
});

test("a client that leaves ends what it asked; one that says nothing is closed", async (t) => {
  let call: PlainCall | undefined;
  const { port } = await open(
    t,
    { "/never": (asked) => ((call = asked), asked.signal(), new Promise(() => undefined)) },
    500,
  );
  const socket = net.connect(port, "127.0.0.1");
  socket.write(get("/never"));
  while (call === undefined) await new Promise((resolve) => setTimeout(resolve, 5));
  const { promise, resolve } = Promise.withResolvers<void>();
  call.signal().addEventListener("abort", () => resolve());
  socket.destroy();
  await promise;
  const silent = net.connect(port, "127.0.0.1");
  await new Promise((closed) => silent.resume().on("close", closed));
});

test("closing lets answers end and closes idle connections at once", async (t) => {
  let answer: (() => void) | undefined;
  const slow: PlainRoute = () =>
    new Promise((resolve) => (answer = (): void => resolve(plainAnswer("slow"))));
  const { server, port } = await open(t, { "/slow": slow });
  const idle = net.connect(port, "127.0.0.1");
  const idleClosed = new Promise((closed) => idle.resume().on("close", closed));
  const asked = converse(port, [get("/slow")]);
  while (answer === undefined) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(await server.connectionCount(), 2);
  const closed = server.close(5000);
  await idleClosed;
  answer();
  assert.equal(parseAnswers(await asked)[0]!.body.toString(), "slow");
  await closed;
});
