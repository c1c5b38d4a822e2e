import assert from "node:assert/strict";
import net, { type AddressInfo } from "node:net";
import os from "node:os";
import path from "node:path";
import test, { type TestContext } from "node:test";
import fc from "fast-check";
import { Place } from "../codec/index.ts";
import { createHttpClient, httpClientConfig } from "./index.ts";
import { ResponseError, ResponseParser } from "./response-parser.ts";

/** What a response is read as, fed in pieces of the given sizes. */
function parse(
  text: string,
  pieces: readonly number[] = [],
): { status: number; body: string; keepAlive: boolean; isDone: boolean } {
  let status = 0;
  let body = "";
  const parser = new ResponseParser({
    head: (code) => (status = code),
    body: (bytes) => (body += Buffer.from(bytes).toString("latin1")),
  });
  const bytes = Buffer.from(text, "latin1");
  let at = 0;
  for (const size of [...pieces, bytes.length]) {
    if (at >= bytes.length) break;
    parser.feed(Buffer.from(bytes.subarray(at, at + size)));
    at += size;
  }
  return { status, body, keepAlive: parser.keepAlive, isDone: parser.isDone };
}

const responses: [text: string, body: string, keepAlive: boolean][] = [
  ["HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "hello", true],
  ["HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", "", true],
  ["HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", "hi", true],
  ["HTTP/1.1 200 OK\nContent-Length: 2\nConnection: close\n\nhi", "hi", false],
  ["HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi", "hi", false],
  [
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\nA\r\n, my world\r\n0\r\nTrailer: x\r\n\r\n",
    "hello, my world",
    true,
  ],
  ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n", "", false],
  ["HTTP/1.1 204 No Content\r\n\r\n", "", true],
  ["HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi, and more that nobody asked for", "hi", false],
];

test("responses are read alike however they are cut", () => {
  for (const [text, body, keepAlive] of responses) {
    assert.deepEqual(
      parse(text),
      { status: text.includes("204") ? 204 : 200, body, keepAlive, isDone: true },
      text,
    );
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 200 }), (pieces) => {
        const cut = parse(text, pieces);
        assert.equal(cut.body, body);
        assert.ok(cut.isDone);
      }),
      { numRuns: 50 },
    );
  }
});

test("what is no response is refused, and nothing makes the reader do anything else", () => {
  for (const text of [
    "SSH-2.0-OpenSSH\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
    `HTTP/1.1 200 OK\r\nX: ${"x".repeat(70_000)}`,
  ]) {
    assert.throws(() => parse(text), ResponseError, text.slice(0, 60));
  }
  fc.assert(
    fc.property(
      fc.array(
        fc.constantFrom(
          "HTTP/1.1 200 OK",
          "\r\n",
          "\n",
          "Content-Length: 3",
          "Transfer-Encoding: chunked",
          "a",
          "0",
          ":",
          " ",
        ),
        { maxLength: 30 },
      ),
      (parts) => {
        try {
          parse(parts.join(""), [3, 5, 7]);
        } catch (error) {
          assert.ok(error instanceof ResponseError);
        }
      },
    ),
  );
});

test("a header of blanks costs no more than its length", () => {
  const blanks = " ".repeat(60_000);
  const startMs = performance.now();
  assert.equal(parse(`HTTP/1.1 200 OK\r\nX: a${blanks}b\r\nContent-Length:  2 \r\n\r\nhi`).body, "hi");
  assert.ok(performance.now() - startMs < 500, "trying each blank takes seconds");
});

async function listen(
  t: TestContext,
  onConnection: (socket: net.Socket, number: number) => void,
  socketPath?: string,
): Promise<string> {
  let count = 0;
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    onConnection(socket, ++count);
  });
  await new Promise<void>((resolve) =>
    socketPath ? server.listen(socketPath, resolve) : server.listen(0, "127.0.0.1", resolve),
  );
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return socketPath ? "http://localhost" : `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function get(t: TestContext, origin: string, socketPath?: string): () => Promise<string> {
  const client = createHttpClient(httpClientConfig.decode(Place.parse("{}", "c.yml")));
  const session = client.openSession(origin, socketPath);
  t.after(async () => {
    session.close();
    await client.close();
  });
  return async () => {
    let body = "";
    await session.send(
      { url: `${origin}/m`, timeoutMs: 2000 },
      { head: () => {}, body: (chunk) => (body += Buffer.from(chunk).toString()) },
    );
    return body;
  };
}

test("a connection that its peer closed while idle is made anew; one that breaks in an answer is an error", async (t) => {
  const origin = await listen(t, (socket, number) => {
    socket.on("data", () => {
      if (number === 3) socket.end("HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\ncut");
      else if (number === 4) socket.end(`HTTP/1.1 200 OK\r\n\r\nuntil close ${number}`);
      else
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n${number}`, () => socket.resetAndDestroy());
    });
  });
  const ask = get(t, origin);
  assert.equal(await ask(), "1");
  assert.equal(await ask(), "2");
  await new Promise((resolve) => setTimeout(resolve, 20));
  await assert.rejects(ask(), /^NarthexError: Get ".*\/m": unexpected EOF$/);
  assert.equal(await ask(), "until close 4");
});

test("a Unix socket answers for its target", async (t) => {
  const socketPath = path.join(os.tmpdir(), `narthex-${process.pid}.sock`);
  const origin = await listen(
    t,
    (socket) => socket.on("data", () => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")),
    socketPath,
  );
  const ask = get(t, origin, socketPath);
  assert.equal(await ask(), "hi");
  assert.equal(await ask(), "hi");
});
