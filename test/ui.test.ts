/**
 * The UI in a real browser: a query is typed and its graph drawn, the targets are listed, the theme is switched, and
 * nothing a label says becomes markup. Skipped where Chromium or a build is missing.
 */
import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { gzipSync } from "node:zlib";
import { chromium, type Browser, type Page } from "playwright-core";
import { freePort } from "./support/free-port.ts";

const chromiumPath = process.env["CHROMIUM_BIN"] ?? "/usr/bin/chromium";
const repository = path.join(import.meta.dirname, "..");
const distDir = path.join(repository, "ui/dist");

/** Everything is tested below a prefix: what works there works without one, but not the other way round. */
const prefix = "/below/a/prefix";

interface RunningServer {
  /** Without a trailing slash. */
  url: string;
  close(): Promise<void>;
}

/**
 * Starts the all-in-one on a free port and waits until it is ready. `configure` is told the server's own address, to
 * scrape its exporter, and gives the configuration.
 */
async function startServer(configure: (address: string) => string): Promise<RunningServer> {
  const directory = await mkdtemp(path.join(tmpdir(), "narthex-ui-"));
  const configFile = path.join(directory, "prometheus.yml");
  const address = `127.0.0.1:${await freePort()}`;
  const url = `http://${address}${prefix}`;
  await writeFile(configFile, configure(address));
  const server = spawn(
    path.join(repository, "bin/narthex"),
    [
      `--config.file=${configFile}`,
      `--storage.tsdb.path=${path.join(directory, "data")}`,
      `--web.listen-address=${address}`,
      `--web.external-url=${url}/`,
      "--enable-feature=exemplar-storage",
      "--log.level=error",
    ],
    { stdio: ["ignore", "ignore", "inherit"] },
  );
  await waitUntil("the server is ready", async () => (await fetch(`${url}/-/ready`)).ok);
  return {
    url,
    close: async () => {
      await stop(server);
      await rm(directory, { recursive: true, force: true });
    },
  };
}

const needed = [chromiumPath, path.join(distDir, "index.html"), path.join(repository, "build/kernel.wasm")];
const missing = needed.find((file) => !existsSync(file));
const skip = missing === undefined ? false : `${missing} is missing`;

const startedS = Math.floor(Date.now() / 1000);

/** What is scraped: a hundred series that move, and one whose labels would like to be markup. */
function startExporter(): Promise<{ port: number; close: () => void }> {
  const exporter = http.createServer((request, response) => {
    const seconds = Date.now() / 1000;
    if (request.url === "/exemplars") {
      response.setHeader("content-type", "application/openmetrics-text; version=1.0.0");
      response.end(`test_requests_total 5 # {trace="<b>abc</b>"} 1000 ${startedS}\n# EOF\n`);
      return;
    }
    const waves = Array.from(
      { length: 100 },
      (_each, shard) => `test_wave{shard="${shard}"} ${Math.sin(seconds + shard / 8) + shard}`,
    );
    const hostile = 'test_hostile{text="<img src=x onerror=window.wasAttacked=1>"} 1';
    response.setHeader("content-type", "text/plain; version=0.0.4");
    response.end(`# TYPE test_wave gauge\n${waves.join("\n")}\n# TYPE test_hostile gauge\n${hostile}\n`);
  });
  return new Promise((resolve) => {
    exporter.listen(0, "127.0.0.1", () => {
      resolve({ port: (exporter.address() as AddressInfo).port, close: () => exporter.close() });
    });
  });
}

let exporter: { port: number; close: () => void };
let server: RunningServer;
let browser: Browser;
let page: Page;
const faults: string[] = [];

/** Where lines are drawn; a second canvas above it only brings one of them forward. */
const plotCanvas = ".chart canvas:not(.chart-highlight)";

before(async () => {
  if (skip !== false) return;
  exporter = await startExporter();
  server = await startServer(
    (address) => `
global: { scrape_interval: 1s, scrape_timeout: 1s }
scrape_configs:
  - job_name: waves
    static_configs: [{ targets: ["127.0.0.1:${exporter.port}"] }]
  - job_name: exemplars
    metrics_path: /exemplars
    static_configs: [{ targets: ["127.0.0.1:${exporter.port}"] }]
  - job_name: nobody-home
    static_configs: [{ targets: ["127.0.0.1:1"] }]
  - job_name: node
    metrics_path: ${prefix}/node/metrics
    static_configs: [{ targets: ["${address}"] }]
`,
  );
  const flags =
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync";
  browser = await chromium.launch({ executablePath: chromiumPath, args: flags.split(" ") });
  await waitUntil("series are there", async () => {
    const answer = await fetch(`${server.url}/api/v1/query?query=count(count_over_time(test_wave[1m])>3)`);
    const { data } = (await answer.json()) as { data: { result: unknown[] } };
    return data.result.length > 0;
  });
});

beforeEach(async () => {
  if (skip !== false) return;
  page = await browser.newPage({ viewport: { width: 1280, height: 900 }, colorScheme: "light" });
  page.on("pageerror", (error) => faults.push(error.message));
});

afterEach(async () => page?.close());

after(async () => {
  await browser?.close();
  await server?.close();
  exporter?.close();
});

test("a typed query is drawn as a graph", { skip }, async () => {
  await page.goto(`${server.url}/query`);
  const editor = page.locator(".cm-content");
  await editor.click();
  await page.keyboard.type("test_wave");
  await page.keyboard.press("Escape");
  await page.keyboard.press("Control+Enter");
  await page.getByText("100 series").waitFor();
  await page.getByText("Graph", { exact: true }).click();
  await page.locator(plotCanvas).waitFor();
  await waitUntil("the graph has colours", async () => (await colouredPixels(plotCanvas)) > 500);
  assert.match(page.url(), /g0\.expr=test_wave&g0\.tab=graph/);
  await page.locator(".legend-rows button").first().waitFor();
});

test("exemplars are shown on the graph, and what they say when one points at them", { skip }, async () => {
  await page.goto(`${server.url}/query?g0.expr=test_requests_total&g0.tab=graph&g0.range_input=5m`);
  await page.locator(plotCanvas).waitFor();
  await page.getByLabel("Show exemplars").check();
  await page.getByText("1 exemplars").waitFor();
  assert.match(page.url(), /g0\.show_exemplars=1/);
  const plot = (await page.locator(".chart .u-over").boundingBox())!;
  const tooltip = page.locator(".tooltip-exemplar");
  // Its value is far above the axis, so that it stands at the upper edge.
  for (let x = plot.width - 2; (await tooltip.count()) === 0; x -= 6) {
    assert.ok(x > 0, "the mark is somewhere");
    await page.mouse.move(plot.x + x, plot.y + 2);
  }
  assert.match(await tooltip.innerText(), /1000.*trace="<b>abc<\/b>"/s);
});

test("an address shows its query again, an old one too", { skip }, async () => {
  await page.goto(`${server.url}/query?g0.expr=sum(test_wave)&g0.tab=0&g0.range_input=5m&g0.stacked=0`);
  await page.locator(plotCanvas).waitFor();
  await waitUntil("the graph has colours", async () => (await colouredPixels(plotCanvas)) > 20);
  assert.equal(await page.getByLabel("Range", { exact: true }).inputValue(), "5m");
});

test("a hundred series follow the pointer without a stutter", { skip }, async () => {
  await page.goto(`${server.url}/query?g0.expr=test_wave&g0.tab=graph&g0.range_input=5m`);
  const plot = page.locator(".chart .u-over");
  const box = (await plot.boundingBox())!;
  await page.mouse.move(box.x + 20, box.y + 20);
  const startMs = performance.now();
  for (let step = 0; step < 40; step++)
    await page.mouse.move(box.x + 20 + step * 20, box.y + 100 + (step % 7) * 20);
  const perMoveMs = (performance.now() - startMs) / 40;
  await page.locator(".graph-tooltip").waitFor();
  assert.ok(perMoveMs < 100, `a move of the pointer took ${perMoveMs.toFixed(1)} ms`);
});

test("a mistake in the query is said in words", { skip }, async () => {
  await page.goto(`${server.url}/query?g0.expr=sum(&g0.tab=table`);
  await page.getByText("The expression is not valid.").waitFor();
  await page.getByText("parse error").waitFor();
});

test("a query is explained, operator by operator", { skip }, async () => {
  await page.goto(`${server.url}/query?g0.expr=sum(rate(test_wave[1m]))&g0.tab=graph&g0.range_input=5m`);
  await page.getByText("Explain", { exact: true }).click();
  await page.getByText("rate over 60s of samples").waitFor();
  assert.match(page.url(), /g0\.tab=explain/);
  const rows = await page.locator(".explain tbody tr").allInnerTexts();
  assert.equal(rows.length, 2);
  assert.match(rows[0]!, /^sum/);
  assert.match(rows[1]!, /\b100\b/);
});

test("a running query can be cancelled", { skip }, async () => {
  await page.route("**/api/v1/query_range", () => undefined);
  await page.goto(`${server.url}/query?g0.expr=test_wave&g0.tab=graph`);
  await page.getByText(/^Running for/).waitFor();
  const aborted = page.waitForEvent("requestfailed", (request) => request.url().includes("query_range"));
  await page.getByRole("button", { name: "Cancel" }).click();
  await aborted;
  await page.getByText("Cancelled.").waitFor();
  await page.unroute("**/api/v1/query_range");
  await page.getByRole("button", { name: "Execute" }).click();
  await page.getByText("100 series").waitFor();
});

test(
  "a server that goes away is missed, what was seen stays, and its return is noticed",
  { skip },
  async () => {
    await page.goto(`${server.url}/targets`);
    await page.getByText("1 of 1 up").first().waitFor();
    const isServer = /\/(api|-)\//;
    await page.route(isServer, (route) => route.abort());
    await page.locator(".banner", { hasText: "The server does not answer" }).waitFor();
    assert.ok(await page.getByText("1 of 1 up").first().isVisible());
    await page.unroute(isServer);
    await page.locator(".banner", { hasText: "The server does not answer" }).waitFor({ state: "detached" });
  },
);

test("the home page shows this machine, live", { skip }, async () => {
  await page.goto(`${server.url}/`);
  const cpu = page.locator(".live-panel", { hasText: "CPU" }).first();
  await cpu.getByText("user").waitFor();
  await cpu.locator(plotCanvas).waitFor();
  await waitUntil("the chart has colours", async () => (await colouredPixels(plotCanvas)) > 20);
  await page.getByText("Linux").waitFor();
  await page.locator(".live-panel", { hasText: "Filesystems" }).getByText("free of").first().waitFor();
});

test("hostile labels are text", { skip }, async () => {
  for (const tab of ["table", "graph"]) {
    await page.goto(`${server.url}/query?g0.expr=test_hostile&g0.tab=${tab}`);
    await page.getByText("<img src=x onerror=window.wasAttacked=1>").first().waitFor();
  }
  assert.equal(await page.evaluate("window.wasAttacked"), undefined);
});

test("the targets page shows who is up, who is down and why", { skip }, async () => {
  await page.goto(`${server.url}/targets`);
  await page.getByText("1 of 1 up").first().waitFor();
  await page.getByText("0 of 1 up").waitFor();
  await page
    .getByText(/connection refused/i)
    .first()
    .waitFor();
  await page.locator(".choice label", { hasText: /^up/ }).click();
  await page.getByText("0 of 1 up").waitFor({ state: "detached" });
  assert.match(page.url(), /health=up/);
});

test("a silence is made and ended", { skip }, async (t) => {
  if (!(await fetch(`${server.url}/alertmanager/api/v2/status`)).ok)
    return t.skip("there is no Alertmanager");
  const alert = { labels: { alertname: "Test", text: "<b>bold</b>" } };
  const posted = await fetch(`${server.url}/alertmanager/api/v2/alerts`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify([alert]),
  });
  assert.ok(posted.ok);
  await page.goto(`${server.url}/alertmanager/alerts`);
  await page.getByText('"<b>bold</b>"').waitFor();
  await page.getByRole("link", { name: "Silence", exact: true }).click();
  await page.getByText("This alert would be silenced:").waitFor();
  await page.getByLabel("By").fill("tester");
  await page.getByLabel("Why").fill("a test");
  await page.getByRole("button", { name: "Create" }).click();
  await page.getByRole("cell", { name: "tester" }).waitFor();
  await page.getByRole("button", { name: "Expire" }).click();
  await page.getByRole("button", { name: "Really expire" }).click();
  await page.getByText("Nothing is silenced").waitFor();
});

test("the theme is light or dark as one likes, also after a reload", { skip }, async () => {
  await page.goto(`${server.url}/targets`);
  const lightness = (): Promise<number> =>
    page.evaluate("Number(getComputedStyle(document.body).backgroundColor.match(/\\d+/)[0])");
  await page.getByText("1 of 1 up").first().waitFor();
  assert.ok((await lightness()) > 200);
  // From the system's theme to light, and on to dark.
  await page.getByLabel(/^Theme/).click();
  await page.getByLabel(/^Theme/).click();
  assert.ok((await lightness()) < 60);
  await page.reload();
  await page.getByText("1 of 1 up").first().waitFor();
  assert.ok((await lightness()) < 60);
});

test("every page opens, from the keyboard too", { skip }, async () => {
  const paths = [
    "/",
    "/alerts",
    "/rules",
    "/service-discovery",
    "/status",
    "/tsdb-status",
    "/flags",
    "/config",
    "/alertmanager-discovery",
    "/alertmanager/silences",
  ];
  for (const each of paths) {
    await page.goto(server.url + each);
    await page.locator("main h1").waitFor();
    assert.equal(await page.getByText("This page stopped").count(), 0, each);
  }
  await page.keyboard.press("g");
  await page.keyboard.press("t");
  await page.waitForURL("**/targets");
  await page.keyboard.press("?");
  await page.getByText("This list").waitFor();
});

test("the first page's scripts stay below 250 kB", { skip }, async () => {
  const scripts = new Set<string>();
  page.on("response", (response) => {
    if (response.url().endsWith(".js")) scripts.add(new URL(response.url()).pathname);
  });
  await page.goto(`${server.url}/`);
  await page.locator("main h1").waitFor();
  await page.waitForTimeout(1000);
  const sizes = [...scripts].map(
    async (file) => gzipSync(await readFile(path.join(distDir, file.slice(prefix.length)))).length,
  );
  const bytes = (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
  assert.ok(bytes > 50_000 && bytes < 250_000, `${bytes} bytes with gzip`);
});

test("no page threw anything", { skip }, () => assert.deepEqual(faults, []));

/** How many pixels of a canvas have a colour that is not a grey: lines have one, axes and grids have none. */
function colouredPixels(selector: string): Promise<number> {
  return page.evaluate(`(() => {
    const canvas = document.querySelector(${JSON.stringify(selector)});
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    let count = 0;
    for (let at = 0; at < data.length; at += 4) {
      const [red, green, blue, alpha] = data.subarray(at, at + 4);
      if (alpha > 40 && Math.max(red, green, blue) - Math.min(red, green, blue) > 60) count++;
    }
    return count;
  })()`);
}

async function waitUntil(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const deadlineMs = Date.now() + 20_000;
  while (Date.now() < deadlineMs) {
    if (await isSo().catch(() => false)) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert.fail(`waited in vain until ${what}`);
}

function stop(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.once("exit", () => resolve());
    child.kill("SIGTERM");
  });
}
