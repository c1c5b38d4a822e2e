import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decodePanels, encodePanels, newPanel, stepMsOf, type PanelState } from "./url.ts";

test("an address without panels has one empty panel", () => {
  assert.deepEqual(decodePanels(""), [newPanel()]);
});

test("old links work", () => {
  const [panel] = decodePanels(
    "g0.expr=up%20%3D%3D%200&g0.tab=0&g0.range_input=15m&g0.end_input=2026-11-20%2006%3A00%3A00&g0.step_input=10&g0.stacked=1",
  );
  assert.deepEqual(panel, {
    expr: "up == 0",
    tab: "graph",
    rangeMs: 900_000,
    endMs: Date.UTC(2026, 10, 20, 6),
    resolution: { type: "step", stepMs: 10_000 },
    stacked: true,
    showsExemplars: false,
    refreshMs: undefined,
  });
  assert.equal(decodePanels("g0.expr=up&g0.tab=1")[0]!.tab, "table");
});

test("links of the newer pages work", () => {
  const [panel] = decodePanels(
    "g0.expr=up&g0.tab=graph&g0.res_type=auto&g0.res_density=high&g0.display_mode=stacked&g0.moment_input=2026-01-01",
  );
  assert.equal(panel!.tab, "graph");
  assert.deepEqual(panel!.resolution, { type: "auto", density: "high" });
  assert.ok(panel!.stacked);
  assert.equal(panel!.endMs, Date.UTC(2026, 0, 1));
});

test("nonsense falls back to what is usual", () => {
  const [panel] = decodePanels(
    "g0.expr=up&g0.tab=9&g0.range_input=-1h&g0.end_input=soon&g0.step_input=x&hello=1&gx.expr=no",
  );
  assert.deepEqual(panel, newPanel({ expr: "up" }));
});

test("no address makes a browser hammer the server", () => {
  assert.equal(decodePanels("g0.expr=up&g0.refresh_input=1ms")[0]!.refreshMs, 1000);
});

test("panels keep their order, gaps in the numbers close", () => {
  assert.deepEqual(
    decodePanels("g10.expr=c&g2.expr=b&g0.expr=a").map(({ expr }) => expr),
    ["a", "b", "c"],
  );
});

const panelState: fc.Arbitrary<PanelState> = fc.record(
  {
    expr: fc.string(),
    tab: fc.constantFrom("table" as const, "graph" as const),
    rangeMs: fc.integer({ min: 1, max: 1e11 }),
    endMs: fc.option(
      fc.integer({ min: 0, max: 4e9 }).map((seconds) => seconds * 1000),
      { nil: undefined },
    ),
    resolution: fc.oneof(
      fc
        .constantFrom("low" as const, "medium" as const, "high" as const)
        .map((density) => ({ type: "auto" as const, density })),
      fc.integer({ min: 1, max: 1e8 }).map((stepMs) => ({ type: "step" as const, stepMs })),
    ),
    stacked: fc.boolean(),
    showsExemplars: fc.boolean(),
    refreshMs: fc.option(fc.integer({ min: 1000, max: 1e7 }), { nil: undefined }),
  },
  { noNullPrototype: true },
);

test("every state comes back from its address", () => {
  fc.assert(
    fc.property(fc.array(panelState, { minLength: 1, maxLength: 4 }), (panels) => {
      assert.deepEqual(decodePanels(encodePanels(panels)), panels);
    }),
  );
});

test("the step follows range and density, and is never below a second", () => {
  assert.equal(stepMsOf(newPanel({ rangeMs: 3_600_000 })), 14_000);
  assert.equal(stepMsOf(newPanel({ rangeMs: 1000 })), 1000);
  assert.equal(stepMsOf(newPanel({ resolution: { type: "step", stepMs: 250 } })), 250);
});
