import { readFileSync } from "node:fs";
import type { BuildInfo } from "../web/index.ts";

const packageFile = new URL("../../package.json", import.meta.url);

/** Narthex' own version, from package.json. */
export const version = (JSON.parse(readFileSync(packageFile, "utf8")) as { version: string }).version;

export const userAgent = `Narthex/${version}`;

/** In upstream's shape; `goVersion` tells the runtime, as nothing else would fit there. */
export function buildInfo(): BuildInfo {
  return {
    version,
    revision: "",
    branch: "",
    buildUser: "",
    buildDate: "",
    goVersion: `node ${process.version}`,
  };
}

/** What `--version` prints. */
export function versionText(role = ""): string {
  return `${["narthex", role].filter(Boolean).join(" ")}, version ${version}\n  runtime:   Node.js ${process.version}\n  platform:  ${process.platform}/${process.arch}\n`;
}
