import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { encodeText, Registry } from "@narthex/client";
import { Hono } from "hono";
import { RequestMetrics } from "./metrics.ts";
import { addUiRoutes } from "./ui.ts";

test("the page and its files are served under any prefix, and all assets count as one route", async (t) => {
  const directory = mkdtempSync(join(tmpdir(), "narthex-ui-"));
  t.after(() => rmSync(directory, { recursive: true }));
  mkdirSync(join(directory, "assets"));
  writeFileSync(
    join(directory, "index.html"),
    '<base href="BASE_PATH_PLACEHOLDER"><title>TITLE_PLACEHOLDER</title>',
  );
  writeFileSync(join(directory, "scheme.js"), "1");
  for (const name of ["a-1.js", "b-2.css"]) writeFileSync(join(directory, "assets", name), name);
  const registry = new Registry();
  const app = new Hono();
  const ui = new Hono();
  ui.use(new RequestMetrics(registry, "/prefix").middleware);
  addUiRoutes(ui, { directory, title: `<"x">`, lookbackDelta: "5m" }, () => true);
  app.route("/prefix", ui);
  const get = async (path: string): Promise<string> => {
    const response = await app.request(`/prefix${path}`);
    return `${response.status} ${response.headers.get("cache-control") ?? "-"} ${await response.text()}`;
  };
  assert.equal(await get("/query"), '200 no-cache <base href="./"><title>&#60;&#34;x&#34;&#62;</title>');
  assert.match(await get("/alertmanager/alerts"), /<base href="\.\.\/">/);
  assert.equal(await get("/scheme.js"), "200 no-cache 1");
  assert.equal(await get("/assets/a-1.js"), "200 public, max-age=31536000, immutable a-1.js");
  assert.equal(await get("/assets/b-2.css"), "200 public, max-age=31536000, immutable b-2.css");
  for (const path of ["/assets/c.js", "/assets/..%2Findex.html", "/index.html"])
    assert.match(await get(path), /^404 /, path);
  const handlers = [...encodeText(registry.gather()).matchAll(/requests_total\{handler="([^"]*)"/g)];
  assert.deepEqual([...new Set(handlers.map((match) => match[1]!))].sort(), [
    "/*",
    "/alertmanager/alerts",
    "/assets/:name",
    "/query",
    "/scheme.js",
  ]);
});
