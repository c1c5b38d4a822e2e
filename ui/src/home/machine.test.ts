import assert from "node:assert/strict";
import { test } from "node:test";
import { liveCharts, readMachine, thisMachine, whereMachine } from "./machine.ts";

const chart = (title: string): (typeof liveCharts)[number] =>
  liveCharts.find((each) => each.title === title)!;

test("matchers quote what labels say", () => {
  assert.equal(whereMachine(readMachine({ instance: 'a"b', job: "node" })), 'instance="a\\"b",job="node"');
});

test("this machine is found by its name, then by its address", () => {
  const far = readMachine({ instance: "10.0.0.1:9100", nodename: "far" });
  const near = readMachine({ instance: "localhost:9100", nodename: "near" });
  assert.equal(thisMachine([far, near], "far"), far);
  assert.equal(thisMachine([far, near], undefined), near);
  assert.equal(thisMachine([far], undefined), far);
  assert.equal(thisMachine([], undefined), undefined);
});

test("memory adds up to what is built in", () => {
  const series = Object.entries({ MemTotal: 100, MemFree: 30, Buffers: 5, Cached: 20, SReclaimable: 5 }).map(
    ([name, value]) => ({
      labels: { __name__: `node_memory_${name}_bytes` },
      values: [value, null],
    }),
  );
  const columns = chart("Memory").columns(series);
  assert.deepEqual(
    columns.map(({ name, values }) => [name, values[0]]),
    [
      ["used", 40],
      ["buffers", 5],
      ["cache", 25],
      ["free", 30],
    ],
  );
  assert.equal(columns[0]!.values[1], null);
  assert.deepEqual(chart("Memory").columns([]), []);
});

test("CPU modes keep order and colour; those that never ran are left out", () => {
  const columns = chart("CPU").columns([
    { labels: { mode: "steal" }, values: [0, 0] },
    { labels: { mode: "softirq" }, values: [0, 0.1] },
    { labels: { mode: "iowait" }, values: [0, 0] },
    { labels: { mode: "user" }, values: [0.2, 0.3] },
  ]);
  assert.deepEqual(
    columns.map(({ name, color }) => [name, color]),
    [
      ["user", 0],
      ["iowait", 2],
      ["softirq", 4],
    ],
  );
});

test("what is sent goes below zero, idle devices are left out", () => {
  const columns = chart("Network").columns([
    { labels: { device: "eth1", way: "received" }, values: [0, 0] },
    { labels: { device: "eth0", way: "sent" }, values: [2, null] },
    { labels: { device: "eth0", way: "received" }, values: [5, 6] },
  ]);
  assert.deepEqual(
    columns.map(({ name, values, color }) => [name, values, color]),
    [
      ["eth0 received", [5, 6], 0],
      ["eth0 sent", [-2, null], 1],
    ],
  );
});
