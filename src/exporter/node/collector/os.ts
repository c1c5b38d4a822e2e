import { readFileSync } from "node:fs";
import { posix } from "node:path";
import { type Collector, type CollectorContext, NoDataError } from "../collector.ts";
import { errorCode, linesOf } from "../files.ts";

const releaseFiles = ["etc/os-release", "usr/lib/os-release"] as const;
const infoLabels = [
  "build_id",
  "id",
  "id_like",
  "image_id",
  "image_version",
  "name",
  "pretty_name",
  "variant",
  "variant_id",
  "version",
  "version_codename",
  "version_id",
] as const;

export function createOsCollector({ options }: CollectorContext): Collector {
  return {
    collect(sink) {
      const release = parseRelease(readRelease(options.rootfsPath));
      const get = (key: string): string => release.get(key.toUpperCase()) ?? "";
      sink
        .gauge(
          "node_os_info",
          "A metric with a constant '1' value labeled by build_id, id, id_like, image_id, image_version, name, pretty_name, variant, variant_id, version, version_codename, version_id.",
        )
        .add(
          1,
          infoLabels.map((label) => [label, get(label)]),
        );
      const version = Number(/^\d+\.?\d*/.exec(get("version_id"))?.[0] ?? 0);
      if (version > 0) {
        sink
          .gauge("node_os_version", "Metric containing the major.minor part of the OS version.")
          .add(version, [
            ["id", get("id")],
            ["id_like", get("id_like")],
            ["name", get("name")],
          ]);
      }
      const supportEndMs = Date.parse(get("support_end"));
      if (!Number.isNaN(supportEndMs)) {
        sink
          .gauge(
            "node_os_support_end_timestamp_seconds",
            "Metric containing the end-of-life date timestamp of the OS.",
          )
          .add(supportEndMs / 1000);
      }
    },
  };
}

function readRelease(rootfsPath: string): string {
  for (const file of releaseFiles) {
    try {
      return readFileSync(posix.join(rootfsPath, file), "utf8");
    } catch (error) {
      if (errorCode(error) !== "ENOENT") throw error;
    }
  }
  throw new NoDataError();
}

/** Shell assignments: `NAME="Debian GNU/Linux"`. */
function parseRelease(text: string): Map<string, string> {
  const assignments = linesOf(text)
    .map((line) => /^\s*([A-Z0-9_]+)=(.*)$/.exec(line))
    .filter((match) => match !== null);
  return new Map(assignments.map(([, key = "", value = ""]) => [key, unquote(value.trim())]));
}

function unquote(value: string): string {
  const [, quote, inside] = /^(["'])(.*)\1$/s.exec(value) ?? [];
  if (inside === undefined) return value;
  return quote === '"' ? inside.replace(/\\(["\\$`])/g, "$1") : inside;
}
