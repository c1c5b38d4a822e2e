import type { Config } from "../config/index.ts";
import type { FloatEncodingName } from "../tsdb/index.ts";
import type { ServerOptions } from "./server-options.ts";

/** What the configuration says, or else the feature. */
export function floatEncodingOf({ features }: ServerOptions, { storage }: Config): FloatEncodingName {
  const { floats } = storage.tsdb.chunkEncoding;
  const isXor2 = floats === "" ? features.includes("xor2-encoding") : floats === "xor2";
  return isXor2 ? "xor2" : "xor";
}
