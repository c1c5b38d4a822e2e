import { gzipSync } from "node:zlib";
import { NarthexError, systemDisk } from "../../base/index.ts";
import { createHttpClient, decompress, httpClientConfig } from "../../http/index.ts";
import { userAgent } from "../version.ts";
import { type Command, type Commands, exitCode, type Streams } from "./command.ts";
import { encodeTar, type TarFile } from "./tar.ts";

const archive = "debug.tar.gz";
const answerBytesMax = 1024 * 1024 * 1024;
/** A profile is taken for half a minute. */
const timeoutMs = 150_000;

/** The files of the archive by what a server is asked for. */
type Endpoints = Readonly<Record<string, string>>;

/** What a Go program tells of itself. */
const profiles: Endpoints = {
  "/debug/pprof/profile?seconds=30": "cpu.pb",
  "/debug/pprof/block": "block.pb",
  "/debug/pprof/goroutine": "goroutine.pb",
  "/debug/pprof/heap": "heap.pb",
  "/debug/pprof/mutex": "mutex.pb",
  "/debug/pprof/threadcreate": "threadcreate.pb",
  "/debug/pprof/trace?seconds=30": "trace.pb",
};
const metrics: Endpoints = { "/metrics": "metrics.txt" };

export const debugCommands: Commands = {
  "debug pprof": collecting("the profiles of a Go program", profiles),
  "debug metrics": collecting("the metrics of a server", metrics),
  "debug all": collecting("profiles and metrics", { ...profiles, ...metrics }),
};

function collecting(what: string, endpoints: Endpoints): Command {
  return {
    summary: `put ${what} into ${archive}`,
    flags: [],
    positionals: ["<server>"],
    run: (_, [server], streams) => collect(server!, endpoints, streams),
  };
}

/** Nothing is written unless the server has answered everything. */
async function collect(server: string, endpoints: Endpoints, { out }: Streams): Promise<number> {
  const client = createHttpClient(httpClientConfig.default(), { userAgent });
  const files: TarFile[] = [];
  try {
    for (const [endpoint, name] of Object.entries(endpoints)) {
      const url = server + endpoint;
      out(`collecting: ${url}\n`);
      const { status, body } = await client.request({ url, timeoutMs, bodyBytesMax: answerBytesMax });
      if (status !== 200)
        throw new NarthexError("execution", `error completing debug command: ${url} answered ${status}`);
      files.push({ name, bytes: await plain(body) });
    }
  } finally {
    await client.close();
  }
  systemDisk.writeFileAtomic(archive, gzipSync(encodeTar(files)));
  out(`Compiling debug information complete, all files written in "${archive}".\n`);
  return exitCode.ok;
}

/** Go compresses profiles. */
async function plain(body: Uint8Array): Promise<Uint8Array> {
  const isGzip = body[0] === 0x1f && body[1] === 0x8b;
  return isGzip ? decompress("gzip", body, answerBytesMax) : body;
}
