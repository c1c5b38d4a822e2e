import assert from "node:assert/strict";
import { test } from "node:test";
import { Hono } from "hono";
import { errorResponse } from "../../http/index.ts";
import { Labels } from "../../model/index.ts";
import type { Notifier } from "../../notifier/index.ts";
import { ScrapeView } from "../../scrape/index.ts";
import { createBench } from "../../scrape/test-support.ts";
import { addTargetRoutes } from "./targets.ts";

test("relabelling is shown step by step", async () => {
  const bench = createBench(Labels.empty);
  bench.apply(`
- job_name: testpool
  relabel_configs:
  - { regex: "", target_label: __address__, replacement: "example.com:443" }
  - { source_labels: [__address__], regex: 'example\\.com:.*', action: drop }
  - { source_labels: [job, x], modulus: 4, target_label: m, action: hashmod }
`);
  const app = new Hono();
  app.onError((error) => errorResponse(error));
  addTargetRoutes(app, new ScrapeView(bench.manager, new URL("http://x:9090")), {} as Notifier);
  const ask = async (query: string): Promise<unknown> => {
    const response = await app.request(`/targets/relabel_steps?${query}`);
    const { data, error } = (await response.json()) as { data?: unknown; error?: string };
    return data ?? [response.status, error];
  };
  const labels = `labels=${encodeURIComponent('{"job":"test","__address__":"localhost:9090"}')}`;
  assert.deepEqual(await ask(`scrapePool=testpool&${labels}`), {
    steps: [
      {
        rule: {
          separator: ";",
          regex: "",
          target_label: "__address__",
          replacement: "example.com:443",
          action: "replace",
        },
        output: { job: "test", __address__: "example.com:443" },
        keep: true,
      },
      {
        rule: {
          source_labels: ["__address__"],
          separator: ";",
          regex: String.raw`example\.com:.*`,
          replacement: "$1",
          action: "drop",
        },
        output: {},
        keep: false,
      },
      {
        rule: {
          source_labels: ["job", "x"],
          separator: ";",
          regex: "(.*)",
          modulus: 4,
          target_label: "m",
          replacement: "$1",
          action: "hashmod",
        },
        output: {},
        keep: false,
      },
    ],
  });
  assert.deepEqual(await ask(labels), [400, "no scrapePool parameter provided"]);
  assert.deepEqual(await ask("scrapePool=testpool"), [400, "no labels parameter provided"]);
  const unknown = 'error retrieving scrape config: unable to find scrape config named "none"';
  assert.deepEqual(await ask(`scrapePool=none&${labels}`), [400, unknown]);
  for (const text of ["{", "[]", "null", '{"a":1}'])
    assert.match(
      String(await ask(`scrapePool=testpool&labels=${encodeURIComponent(text)}`)),
      /^400,error parsing labels: /,
    );
  await bench.manager.close();
});
