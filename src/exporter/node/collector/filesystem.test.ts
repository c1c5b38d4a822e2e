import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { SimulatedClock } from "../../../base/index.ts";
import { createNodeExporter } from "../exporter.ts";
import { MountProber, type MountStats, parseMount } from "./filesystem.ts";

const stats: MountStats = { bsize: 4096, blocks: 10, bfree: 5, bavail: 4, files: 100, ffree: 50 };

test("a line of mountinfo", () => {
  assert.deepEqual(
    parseMount(
      String.raw`27 1 254:3 / /rootfs/my\040disk rw,relatime shared:1 - ext4 /dev/sda\0401 ro,discard`,
      "/rootfs",
    ),
    {
      device: String.raw`/dev/sda\0401`,
      mountPoint: "/my disk",
      type: "ext4",
      readOnly: true,
      major: "254",
      minor: "3",
    },
  );
  assert.deepEqual(parseMount("27 1 254:3 / / ro - tmpfs none rw", "/"), {
    device: "none",
    mountPoint: "/",
    type: "tmpfs",
    readOnly: true,
    major: "254",
    minor: "3",
  });
  assert.equal(parseMount("27 1 254:3 / /host rw - tmpfs none rw", "/host").mountPoint, "/");
  assert.throws(() => parseMount("27 1 254:3 / / rw tmpfs none rw", "/"), /malformed line in mountinfo/);
});

test("sizes, errors and filters of mounts", async () => {
  const root = mkdtempSync(join(tmpdir(), "narthex-mounts-"));
  mkdirSync(join(root, "1"));
  mkdirSync(join(root, "here"));
  writeFileSync(
    join(root, "1/mountinfo"),
    `1 0 8:1 / ${root}/here rw - ext4 /dev/a rw
2 0 8:1 / ${root}/here rw - ext4 /dev/a rw
3 0 8:2 / ${root}/gone ro - ext4 /dev/b rw
4 0 0:5 / ${root}/proc rw - proc proc rw
`,
  );
  const exporter = createNodeExporter({
    collectors: ["filesystem"],
    procPath: root,
    rootfsPath: root,
    disableExporterMetrics: true,
  });
  const lines = (await exporter.collect()).split("\n").filter((line) => line.startsWith("node_filesystem"));
  exporter.close();
  rmSync(root, { recursive: true });
  const here = 'device="/dev/a",mountpoint="/here",fstype="ext4",device_error=""';
  const gone = 'device="/dev/b",mountpoint="/gone",fstype="ext4",device_error="no such file or directory"';
  assert.deepEqual(
    lines.map((line) => line.replace(/^node_filesystem_/, "")).filter((line) => !/_bytes|^files/.test(line)),
    [
      `device_error{${here}} 0`,
      `device_error{${gone}} 1`,
      'mount_info{device="/dev/a",major="8",minor="1",mountpoint="/here"} 1',
      `readonly{${here}} 0`,
      `readonly{${gone}} 1`,
    ],
  );
  const sizes = lines.filter((line) => /^node_filesystem_(\w+_bytes|files)/.test(line));
  assert.equal(sizes.length, 5);
  assert.ok(sizes.every((line) => line.includes(here) && Number(line.split(" ").at(-1)) > 0));
});

test("a mount that hangs is marked, left alone, and taken back when it answers", async () => {
  const clock = new SimulatedClock();
  const asked: string[] = [];
  let revive: ((stats: MountStats) => void) | undefined;
  const prober = new MountProber({
    clock,
    timeoutMs: 5000,
    stat: (path) => {
      asked.push(path);
      return path === "/hung" ? new Promise((resolve) => (revive = resolve)) : Promise.resolve(stats);
    },
  });
  const hung = prober.probe("/hung");
  assert.equal(await prober.probe("/fine"), stats);
  await clock.advance(5000);
  assert.equal(await hung, "mountpoint timeout");
  assert.equal(await prober.probe("/hung"), "mountpoint timeout");
  assert.equal(await prober.probe("/fine"), stats);
  assert.deepEqual(asked, ["/hung", "/fine", "/fine"]);
  revive?.(stats);
  await clock.advance(0);
  const again = prober.probe("/hung");
  revive?.(stats);
  assert.equal(await again, stats);
});

test("hanging mounts never take all I/O threads", async () => {
  const clock = new SimulatedClock();
  let asked = 0;
  const prober = new MountProber({
    clock,
    timeoutMs: 5000,
    stat: () => {
      asked++;
      return new Promise(() => {});
    },
  });
  const answers = Promise.all(["/a", "/b", "/c", "/d", "/e"].map((path) => prober.probe(path)));
  await clock.advance(5000);
  await clock.advance(5000);
  assert.deepEqual(new Set(await answers), new Set(["mountpoint timeout"]));
  assert.ok(asked <= 3, `${asked} threads taken`);
});
