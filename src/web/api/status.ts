import type { Hono } from "hono";
import { NarthexError } from "../../base/index.ts";
import type { StatusView } from "../parts.ts";
import { sendData } from "./answer.ts";

const tsdbLimitDefault = 10;
const tsdbLimitMax = 10_000;

/** `status/*`. */
export function addStatusRoutes(api: Hono, status: StatusView): void {
  api.get("/status/config", (c) => sendData(c, { yaml: status.configYaml() }));
  api.get("/status/flags", (c) => sendData(c, status.flags()));
  api.get("/status/buildinfo", (c) => sendData(c, status.build()));
  api.get("/status/runtimeinfo", (c) => sendData(c, status.runtime()));
  api.get("/status/walreplay", (c) => sendData(c, status.walReplay()));
  api.get("/status/tsdb", (c) => {
    const text = c.req.query("limit");
    const limit = text === undefined || text === "" ? tsdbLimitDefault : Number(text);
    if (!Number.isInteger(limit) || limit < 1 || limit > tsdbLimitMax) {
      throw new NarthexError("bad_data", `limit must be a positive number no greater than ${tsdbLimitMax}`);
    }
    return sendData(c, status.tsdb(limit));
  });
}
