import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import http, { type IncomingMessage, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import os from "node:os";
import path from "node:path";
import test, { after, type TestContext } from "node:test";
import zlib from "node:zlib";
import { hashSync } from "@node-rs/bcrypt";
import { snappyCompress } from "hysnappy";
import { NarthexError } from "../base/index.ts";
import { encodeYaml, Place } from "../codec/index.ts";
import {
  createHttpClient,
  createServer,
  decompress,
  errorResponse,
  httpClientConfig,
  successResponse,
} from "./index.ts";
import { isHome } from "./client.ts";

const directory = fs.mkdtempSync(path.join(os.tmpdir(), "narthex-http-"));
after(() => fs.rmSync(directory, { recursive: true }));

function config(yaml: string) {
  return httpClientConfig.decode(Place.parse(yaml, "http.yml", directory));
}

function client(t: TestContext, yaml = "{}") {
  const made = createHttpClient(config(yaml), { userAgent: "Narthex/test" });
  t.after(() => made.close());
  return made;
}

async function target(t: TestContext, listener: RequestListener): Promise<string> {
  const server = http.createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function text(body: Uint8Array): string {
  return Buffer.from(body).toString("utf8");
}

test("a request carries the configured headers and credentials, files read each time", async (t) => {
  const seen: IncomingMessage["headers"][] = [];
  const url = await target(t, (request, response) => {
    seen.push(request.headers);
    response.end("hello");
  });
  const passwordFile = path.join(directory, "password");
  fs.writeFileSync(passwordFile, " first\n");
  const basic = client(
    t,
    "basic_auth: {username: u, password_file: password}\nhttp_headers: {X-Team: {values: [a], secrets: [b]}}",
  );
  assert.equal(text((await basic.request({ url })).body), "hello");
  fs.writeFileSync(passwordFile, "second");
  await basic.request({ url });
  assert.deepEqual(
    seen.map((headers) => Buffer.from(headers.authorization!.slice(6), "base64").toString()),
    ["u:first", "u:second"],
  );
  assert.equal(seen[0]!["x-team"], "a, b");
  assert.equal(seen[0]!["user-agent"], "Narthex/test");
  await client(t, "bearer_token: s3cret").request({ url });
  assert.equal(seen[2]!.authorization, "Bearer s3cret");
  fs.rmSync(passwordFile);
  await assert.rejects(basic.request({ url }), /unable to read basic auth password: unable to read file/);
});

test("a header that is not ASCII goes out as UTF-8, on either kind of connection", async (t) => {
  const seen: string[] = [];
  const url = await target(t, (request, response) => {
    seen.push(Buffer.from(request.headers["x-team"] as string, "latin1").toString());
    response.end();
  });
  const c = client(t, "http_headers: {x-team: {values: [Čeština]}}");
  await c.request({ url });
  const session = c.openSession(url);
  await session.send({ url }, { head: () => {}, body: () => {} });
  session.close();
  assert.deepEqual(seen, ["Čeština", "Čeština"]);
});

test("redirects are followed; credentials never reach another origin", async (t) => {
  const seen: [string, string | undefined, string | undefined][] = [];
  const note = (name: string, request: IncomingMessage) =>
    seen.push([
      name + request.url!,
      request.headers.authorization,
      request.headers["x-key"] as string | undefined,
    ]);
  const other = await target(t, (request, response) => {
    note("other", request);
    response.writeHead(302, { location: `${home}/end` }).end();
  });
  const home = await target(t, (request, response) => {
    note("home", request);
    if (request.url === "/a") response.writeHead(301, { location: "/b" }).end("moved");
    else if (request.url === "/b") response.writeHead(307, { location: `${other}/c` }).end();
    else if (request.url === "/loop") response.writeHead(302, { location: "/loop" }).end();
    else response.end("end");
  });
  const settings = "authorization: {credentials: s}\nhttp_headers: {x-key: {secrets: [k]}}";
  const response = await client(t, settings).request({ url: `${home}/a` });
  assert.equal(text(response.body), "end");
  const own = ["authorization", "own", "x-key", "own"];
  await client(t).request({ url: `${home}/b`, credentials: own });
  assert.deepEqual(seen.splice(4), [
    ["home/b", "own", "own"],
    ["other/c", undefined, undefined],
    ["home/end", undefined, undefined],
  ]);
  assert.deepEqual(seen, [
    ["home/a", "Bearer s", "k"],
    ["home/b", "Bearer s", "k"],
    ["other/c", undefined, undefined],
    ["home/end", undefined, undefined],
  ]);
  await assert.rejects(client(t).request({ url: `${home}/loop` }), /stopped after 10 redirects/);
  const stays = await client(t, "follow_redirects: false").request({ url: `${home}/a` });
  assert.equal(stays.status, 301);
});

test("going over to TLS on the same host is staying at home", () => {
  const isStaying = (from: string, to: string) => isHome(new URL(from), new URL(to));
  assert.ok(isStaying("http://a.example/x", "http://a.example/y"));
  assert.ok(isStaying("http://a.example/x", "https://a.example/x"));
  for (const elsewhere of ["https://b.example/", "https://a.example:8443/", "http://a.example:8080/"])
    assert.ok(!isStaying("http://a.example/x", elsewhere), elsewhere);
  assert.ok(!isStaying("https://a.example/x", "http://a.example/x"));
});

test("time, size, cancellation and a missing peer each end a request with one clear error", async (t) => {
  const url = await target(t, (request, response) => {
    if (request.url === "/big") response.end(Buffer.alloc(100_000));
    else if (request.url === "/bomb")
      response.writeHead(200, { "content-encoding": "gzip" }).end(zlib.gzipSync(Buffer.alloc(10_000_000)));
    else if (request.url === "/slow") response.write("x");
  });
  const plain = client(t);
  await assert.rejects(plain.request({ url: `${url}/never`, timeoutMs: 30 }), {
    code: "timeout",
    message: `Get "${url}/never": context deadline exceeded`,
  });
  await assert.rejects(plain.request({ url: `${url}/slow`, timeoutMs: 30 }), { code: "timeout" });
  await assert.rejects(
    plain.request({ url: `${url}/big`, bodyBytesMax: 1000 }),
    /exceeds the limit of 1000 bytes/,
  );
  await assert.rejects(
    plain.request({ url: `${url}/bomb`, bodyBytesMax: 1_000_000 }),
    /exceeds the limit of 1000000 bytes/,
  );
  await assert.rejects(plain.request({ url: `${url}/never`, signal: AbortSignal.timeout(20) }), {
    code: "canceled",
  });
  await assert.rejects(plain.request({ url: `${url}/never`, signal: AbortSignal.abort() }), {
    code: "canceled",
  });
  await assert.rejects(plain.request({ url: "http://127.0.0.1:1/x" }), {
    code: "unavailable",
    message: 'Get "http://127.0.0.1:1/x": dial tcp 127.0.0.1:1: connect: connection refused',
  });
  await assert.rejects(plain.request({ url: "ftp://h/" }), /unsupported protocol scheme "ftp"/);
});

test("a session keeps one connection, and hands the body over as it comes", async (t) => {
  const ports = new Set<number>();
  const url = await target(t, (request, response) => {
    ports.add(request.socket.remotePort!);
    response.end("x".repeat(200_000));
  });
  const session = client(t).openSession(url);
  for (let i = 0; i < 3; i++) {
    let bytes = 0;
    await session.send(
      { url: `${url}/metrics` },
      { head: () => {}, body: (chunk) => (bytes += chunk.length) },
    );
    assert.equal(bytes, 200_000);
  }
  assert.equal(ports.size, 1);
  const refusal = new Error("no thanks");
  await assert.rejects(
    session.send(
      { url },
      {
        head() {
          throw refusal;
        },
        body() {},
      },
    ),
    refusal,
  );
  session.close();
});

test("OAuth 2 client credentials: one token for many requests", async (t) => {
  let tokens = 0;
  const url = await target(t, (request, response) => {
    if (request.url !== "/token") return void response.end(request.headers.authorization);
    let form = "";
    request.on("data", (chunk: Buffer) => (form += chunk.toString()));
    request.on("end", () => {
      // This server wants the secret in the form.
      if (!form.includes("client_secret=s")) return void response.writeHead(401).end();
      tokens++;
      response.end(JSON.stringify({ access_token: `t${tokens}`, token_type: "bearer", expires_in: 3600 }));
    });
  });
  const c = client(t, `oauth2: {client_id: i, client_secret: s, token_url: "${url}/token", scopes: [a, b]}`);
  const answers = await Promise.all([c.request({ url }), c.request({ url }), c.request({ url })]);
  assert.deepEqual(
    answers.map(({ body }) => text(body)),
    ["Bearer t1", "Bearer t1", "Bearer t1"],
  );
});

test("a token that does not come holds a request up no longer than its own time", async (t) => {
  const url = await target(t, () => {});
  const c = client(t, `oauth2: {client_id: i, client_secret: s, token_url: "${url}/token"}`);
  await assert.rejects(c.request({ url, timeoutMs: 30 }), {
    code: "timeout",
    message: `Get "${url}/": context deadline exceeded`,
  });
  await assert.rejects(c.request({ url, signal: AbortSignal.timeout(20) }), { code: "canceled" });
});

test("an HTTP proxy is asked, except for what no_proxy names", async (t) => {
  const proxied: string[] = [];
  const proxy = await target(t, (request, response) => {
    proxied.push(request.url!);
    response.end("via proxy");
  });
  const url = await target(t, (_, response) => response.end("direct"));
  const through = await client(t, `proxy_url: ${proxy}`).request({ url: "http://example.test/x" });
  assert.equal(text(through.body), "via proxy");
  assert.deepEqual(proxied, ["http://example.test/x"]);
  const around = await client(t, `proxy_url: ${proxy}\nno_proxy: "example.test,127.0.0.0/8"`).request({
    url,
  });
  assert.equal(text(around.body), "direct");
});

test("compressed input of every kind, never beyond the cap", async () => {
  const bytes = Buffer.from("metric 1\n".repeat(20_000));
  const encoded = {
    identity: bytes,
    gzip: zlib.gzipSync(bytes),
    deflate: zlib.deflateSync(bytes),
    zstd: zlib.zstdCompressSync(bytes),
    snappy: snappyCompress(bytes),
  } as const;
  for (const [encoding, input] of Object.entries(encoded) as [keyof typeof encoded, Uint8Array][]) {
    assert.deepEqual(Buffer.from(await decompress(encoding, input, bytes.length)), bytes, encoding);
    await assert.rejects(decompress(encoding, input, bytes.length - 1), { code: "bad_data" }, encoding);
    if (encoding !== "identity")
      await assert.rejects(decompress(encoding, Buffer.from([255, 255, 255, 255, 255, 255]), 1e9), {
        code: "bad_data",
      });
  }
});

test("client configurations that cannot be", () => {
  const refuse = (yaml: string, message: RegExp): void => assert.throws(() => config(yaml), message);
  refuse(
    "bearer_token: a\nbearer_token_file: b",
    /at most one of bearer_token & bearer_token_file must be configured/,
  );
  refuse(
    "basic_auth: {}\nbearer_token: a",
    /at most one of basic_auth, oauth2, bearer_token & bearer_token_file must be configured/,
  );
  refuse(
    "basic_auth: {}\nauthorization: {}",
    /at most one of basic_auth, oauth2 & authorization must be configured/,
  );
  refuse(
    "authorization: {type: Basic}",
    /authorization type cannot be set to "basic", use "basic_auth" instead/,
  );
  refuse("http_headers: {host: {values: [a]}}", /setting header "Host" is not allowed/);
  refuse(
    "proxy_from_environment: true\nproxy_url: http://p",
    /if proxy_from_environment is configured, proxy_url must not be configured/,
  );
  refuse("tls_config: {min_version: TLS9}", /http.yml:1:27: unknown TLS version: TLS9/);
  refuse("tls_config: {cert_file: a}", /exactly one of key or key_file must be configured/);
});

test("secrets are not printed", () => {
  const yaml =
    "authorization: {credentials: geheim}\nproxy_url: http://u:geheim@p:1\ntls_config: {cert: c, key: geheim}\nhttp_headers: {a: {secrets: [geheim]}}";
  const decoded = config(yaml);
  const printed = encodeYaml(httpClientConfig.encode(decoded));
  assert.doesNotMatch(printed + JSON.stringify(decoded), /geheim(?!@)/);
  assert.match(printed, /credentials: <secret>/);
  assert.match(printed, /u:xxxxx@p:1/);
});

test("the server answers, compresses, maps errors and closes cleanly", async (t) => {
  const server = await createServer({
    listenAddresses: ["127.0.0.1:0", "127.0.0.1:0"],
    fetch: (request) => {
      const { pathname } = new URL(request.url);
      if (pathname === "/big")
        return new Response("y".repeat(50_000), { headers: { "content-type": "text/plain" } });
      if (pathname === "/lost") return errorResponse(new NarthexError("not_found", "nothing here"));
      if (pathname === "/broken") throw new Error("a defect");
      return successResponse([1]);
    },
  });
  assert.equal(server.urls.length, 2);
  const url = server.urls[1]!;
  const c = client(t);
  const big = await c.request({ url: `${url}/big` });
  assert.equal(big.headers["content-encoding"], "gzip");
  assert.equal(big.body.length, 50_000);
  const small = await c.request({ url: `${url}/` });
  assert.deepEqual(JSON.parse(text(small.body)), { status: "success", data: [1] });
  const lost = await c.request({ url: `${url}/lost` });
  assert.equal(lost.status, 404);
  assert.deepEqual(JSON.parse(text(lost.body)), {
    status: "error",
    errorType: "not_found",
    error: "nothing here",
  });
  const broken = await c.request({ url: `${url}/broken` });
  assert.equal(broken.status, 500);
  await assert.rejects(createServer({ listenAddresses: [url.slice(7)], fetch: () => new Response() }), {
    code: "unavailable",
    message: `listen tcp ${url.slice(7)}: bind: address already in use`,
  });
  await assert.rejects(createServer({ listenAddresses: ["x"], fetch: () => new Response() }), {
    code: "bad_data",
  });
  await c.close();
  await server.close();
  await assert.rejects(client(t).request({ url }), /connection refused/);
});

test("users from the web config file; a known wrong password cannot become right by remembering", async (t) => {
  const webConfigFile = path.join(directory, "web.yml");
  const hash = hashSync("right", { cost: 4 });
  fs.writeFileSync(
    webConfigFile,
    `basic_auth_users:\n  alice: ${hash}\nhttp_server_config: {headers: {X-Frame-Options: deny}}\n`,
  );
  const server = await createServer({
    listenAddresses: ["127.0.0.1:0"],
    webConfigFile,
    fetch: () => new Response("in"),
  });
  t.after(() => server.close(0));
  const url = server.urls[0]!;
  const ask = async (user: string, password: string) => {
    const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
    return client(t).request({ url, headers: ["authorization", authorization] });
  };
  const anonymous = await client(t).request({ url });
  assert.equal(anonymous.status, 401);
  assert.equal(anonymous.headers["www-authenticate"], "Basic");
  assert.equal(anonymous.headers["x-frame-options"], "deny");
  for (let i = 0; i < 2; i++) {
    assert.equal((await ask("alice", "right")).status, 200);
    assert.equal((await ask("alice", "wrong")).status, 401);
    assert.equal((await ask("bob", "right")).status, 401);
    // The shapes of the cache poisoning that was once possible upstream.
    assert.equal((await ask(`alice:${hash}`, "right")).status, 401);
    assert.equal((await ask("alice", `${hash}:right`)).status, 401);
  }
});

test("TLS with client certificates, and a certificate that is renewed while the server runs", async (t) => {
  const make = (name: string, ...more: string[]) => {
    const key = path.join(directory, `${name}.key`);
    const cert = path.join(directory, `${name}.crt`);
    const args = [
      "req",
      "-x509",
      "-newkey",
      "ec",
      "-pkeyopt",
      "ec_paramgen_curve:prime256v1",
      "-nodes",
      "-days",
      "1",
      "-keyout",
      key,
      "-out",
      cert,
    ];
    execFileSync(
      "openssl",
      [...args, "-subj", `/CN=${name}`, "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost", ...more],
      { stdio: "ignore" },
    );
  };
  try {
    make("server");
    make("client");
  } catch {
    return t.skip("openssl is not installed");
  }
  const webConfigFile = path.join(directory, "tls.yml");
  fs.writeFileSync(
    webConfigFile,
    "tls_server_config: {cert_file: server.crt, key_file: server.key, client_auth_type: RequireAndVerifyClientCert, client_ca_file: client.crt}",
  );
  const server = await createServer({
    listenAddresses: ["127.0.0.1:0"],
    webConfigFile,
    fetch: () => new Response("secure"),
  });
  t.after(() => server.close(0));
  const url = server.urls[0]!;
  assert.ok(url.startsWith("https://"));
  const ok = "tls_config: {ca_file: server.crt, cert_file: client.crt, key_file: client.key}";
  assert.equal(text((await client(t, ok).request({ url })).body), "secure");
  await assert.rejects(client(t, "tls_config: {ca_file: server.crt}").request({ url }), {
    code: "unavailable",
  });
  await assert.rejects(
    client(t, "tls_config: {ca_file: client.crt, cert_file: client.crt, key_file: client.key}").request({
      url,
    }),
    /self-signed|certificate/,
  );
  make("server");
  await new Promise((resolve) => setTimeout(resolve, 1100));
  assert.equal(text((await client(t, ok).request({ url })).body), "secure");
});
