import { statfs } from "node:fs/promises";
import { posix } from "node:path";
import { getSystemErrorMessage } from "node:util";
import type { LabelPair } from "@narthex/client";
import { type Clock, errorMessage, NarthexError } from "../../../base/index.ts";
import type { Collector, CollectorContext } from "../collector.ts";
import { errorCode, type FileTree, fieldsOf, linesOf } from "../files.ts";
import { NameFilter } from "../filter.ts";
import type { FamilyDraft, MetricSink } from "../sink.ts";

/** How many mounts are asked at once. */
const probesAtOnceMax = 2;
/**
 * A mount that hangs keeps one of the process' four I/O threads for as long as it does. With this many hanging no other is
 * asked, so that one thread is always left for everything else.
 */
const stuckMax = 2;
const stuckMessage = "mountpoint timeout";

export interface Mount {
  readonly device: string;
  /** As the exporter's users see it: without the rootfs prefix. */
  readonly mountPoint: string;
  readonly type: string;
  readonly readOnly: boolean;
  readonly major: string;
  readonly minor: string;
}

export interface MountStats {
  readonly bsize: number;
  readonly blocks: number;
  readonly bfree: number;
  readonly bavail: number;
  readonly files: number;
  readonly ffree: number;
}

export function createFilesystemCollector(context: CollectorContext): Collector {
  const { proc, options, clock } = context;
  const mountPoints = new NameFilter(options.filesystemMountPoint);
  const types = new NameFilter(options.filesystemType);
  const prober = new MountProber({ stat: statfs, clock, timeoutMs: options.filesystemTimeoutMs });
  return {
    async collect(sink) {
      const mounts = unique(
        readMounts(proc, options.rootfsPath).filter(
          (mount) => mountPoints.passes(mount.mountPoint) && types.passes(mount.type),
        ),
      );
      const answers = await Promise.all(
        mounts.map((mount) => prober.probe(posix.join(options.rootfsPath, mount.mountPoint))),
      );
      const families = filesystemFamilies(sink);
      for (const [index, mount] of mounts.entries()) addMount(families, mount, answers[index]!);
    },
  };
}

/** Asks mounts for their numbers, with a time limit, and leaves those alone that have not answered an earlier question. */
export class MountProber {
  readonly #stat: (path: string) => Promise<MountStats>;
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #probes = new Map<string, Promise<MountStats | string>>();
  /** Paths that were asked and have not answered within the time limit. */
  readonly #stuck = new Set<string>();
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(options: { stat: (path: string) => Promise<MountStats>; clock: Clock; timeoutMs: number }) {
    this.#stat = options.stat;
    this.#clock = options.clock;
    this.#timeoutMs = options.timeoutMs;
  }

  /** The numbers, or what is wrong with the mount. Two scrapes at once share one question. */
  probe(path: string): Promise<MountStats | string> {
    const underWay = this.#probes.get(path);
    if (underWay !== undefined) return underWay;
    const probe = this.#probeInTurn(path).finally(() => this.#probes.delete(path));
    this.#probes.set(path, probe);
    return probe;
  }

  async #probeInTurn(path: string): Promise<MountStats | string> {
    while (this.#running >= probesAtOnceMax) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    this.#running++;
    try {
      if (this.#stuck.has(path) || this.#stuck.size >= stuckMax) return stuckMessage;
      return await this.#statInTime(path);
    } finally {
      this.#running--;
      this.#waiting.shift()?.();
    }
  }

  #statInTime(path: string): Promise<MountStats | string> {
    return new Promise((resolve) => {
      const timer = this.#clock.after(this.#timeoutMs, () => {
        this.#stuck.add(path);
        resolve(stuckMessage);
      });
      const answer = (result: MountStats | string): void => {
        timer.cancel();
        this.#stuck.delete(path);
        resolve(result);
      };
      this.#stat(path).then(answer, (error: unknown) => answer(describeError(error)));
    });
  }
}

/** Where Node's words for an error number differ from the C library's, which are what the label has always held. */
const errorWords: Readonly<Record<string, string>> = {
  EIO: "input/output error",
  ENOTCONN: "transport endpoint is not connected",
  ESTALE: "stale NFS file handle",
};

function describeError(error: unknown): string {
  const words = errorWords[errorCode(error) ?? ""];
  if (words !== undefined) return words;
  const number = error instanceof Error && "errno" in error ? error.errno : undefined;
  return typeof number === "number" ? getSystemErrorMessage(number) : errorMessage(error);
}

/** The mounts of process 1, or of this process where hidepid hides the former. */
function readMounts(proc: FileTree, rootfsPath: string): Mount[] {
  const text = proc.attribute("1/mountinfo") ?? proc.read("self/mountinfo");
  return linesOf(text).map((line) => parseMount(line, rootfsPath));
}

/** Fields: id, parent, major:minor, root, mount point, options, any number of tags, `-`, type, source, super options. */
export function parseMount(line: string, rootfsPath: string): Mount {
  const fields = fieldsOf(line);
  const separator = fields.indexOf("-", 6);
  const [, , version = "", , mountPoint, options = ""] = fields;
  const [type, device, superOptions = ""] = fields.slice(separator + 1);
  const [, major, minor] = /^(\d+):(\d+)$/.exec(version) ?? [];
  if (
    separator < 0 ||
    type === undefined ||
    device === undefined ||
    major === undefined ||
    minor === undefined
  ) {
    throw new NarthexError("bad_data", `malformed line in mountinfo: ${JSON.stringify(line)}`);
  }
  const superFlags = superOptions.split(",");
  return {
    device,
    mountPoint: withoutRootfs(unescapeOctal(mountPoint!), rootfsPath),
    type,
    readOnly:
      options.split(",").includes("ro") || superFlags.includes("ro") || superFlags.includes("emergency_ro"),
    major,
    minor,
  };
}

/** Space, tab, line break and backslash are written as `\040` and so on. */
function unescapeOctal(text: string): string {
  return text.replace(/\\(040|011|012|134)/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)));
}

function withoutRootfs(path: string, rootfsPath: string): string {
  if (rootfsPath === "/" || !path.startsWith(rootfsPath)) return path;
  return path.slice(rootfsPath.length) || "/";
}

/** Something may be mounted twice in the same place. */
function unique(mounts: readonly Mount[]): Mount[] {
  const byLabels = new Map(
    mounts.map((mount) => [JSON.stringify([mount.device, mount.mountPoint, mount.type]), mount]),
  );
  return [...byLabels.values()];
}

type FamilyName =
  | "size"
  | "free"
  | "avail"
  | "files"
  | "filesFree"
  | "readOnly"
  | "deviceError"
  | "mountInfo";

function filesystemFamilies(sink: MetricSink): Record<FamilyName, FamilyDraft> {
  const family = (name: string, help: string) => sink.gauge(`node_filesystem_${name}`, help);
  return {
    size: family("size_bytes", "Filesystem size in bytes."),
    free: family("free_bytes", "Filesystem free space in bytes."),
    avail: family("avail_bytes", "Filesystem space available to non-root users in bytes."),
    files: family("files", "Filesystem total file nodes."),
    filesFree: family("files_free", "Filesystem total free file nodes."),
    readOnly: family("readonly", "Filesystem read-only status."),
    deviceError: family(
      "device_error",
      "Whether an error occurred while getting statistics for the given device.",
    ),
    mountInfo: family("mount_info", "Filesystem mount information."),
  };
}

function addMount(
  families: Record<FamilyName, FamilyDraft>,
  mount: Mount,
  answer: MountStats | string,
): void {
  const { device, mountPoint, type, major, minor } = mount;
  const failed = typeof answer === "string";
  const labels: LabelPair[] = [
    ["device", device],
    ["mountpoint", mountPoint],
    ["fstype", type],
    ["device_error", failed ? answer : ""],
  ];
  families.deviceError.add(failed ? 1 : 0, labels);
  families.readOnly.add(mount.readOnly ? 1 : 0, labels);
  if (failed) return;
  families.size.add(answer.blocks * answer.bsize, labels);
  families.free.add(answer.bfree * answer.bsize, labels);
  families.avail.add(answer.bavail * answer.bsize, labels);
  families.files.add(answer.files, labels);
  families.filesFree.add(answer.ffree, labels);
  families.mountInfo.add(1, [
    ["device", device],
    ["major", major],
    ["minor", minor],
    ["mountpoint", mountPoint],
  ]);
}
