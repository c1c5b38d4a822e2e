import path from "node:path";
import { NarthexError, type Disk } from "../../base/index.ts";
import { Place } from "../../codec/index.ts";
import {
  createHttpClient,
  type HttpClient,
  type HttpClientConfig,
  httpClientConfig,
} from "../../http/index.ts";
import { userAgent } from "../version.ts";

const answerBytesMax = 1024 * 1024 * 1024;
const timeoutMs = 150_000;

/** The HTTP API of a Prometheus server, wherever it is. Owned by who made it, who must `close` it. */
export class ApiClient {
  readonly url: string;
  readonly #client: HttpClient;
  readonly #headers: readonly string[];

  /** `http://` is understood before a URL without scheme. `headers` go with every request. */
  constructor(
    url: string,
    config: HttpClientConfig = httpClientConfig.default(),
    headers: ReadonlyMap<string, string> = new Map(),
  ) {
    const bare = url.replace(/\/+$/, "");
    this.url = /^https?:\/\//.test(bare) ? bare : `http://${bare}`;
    this.#client = createHttpClient(config, { userAgent });
    this.#headers = [...headers].flat();
  }

  /** The `data` of an answer. Rejects with `execution` and the server's words when it refuses. */
  async ask<T>(
    endpoint: string,
    params: Record<string, string> | [name: string, value: string][],
    method: "GET" | "POST" = "POST",
  ): Promise<T> {
    const form = new URLSearchParams(params).toString();
    const url = `${this.url}/api/v1/${endpoint}`;
    const request =
      method === "GET"
        ? { method, url: `${url}?${form}`, headers: [...this.#headers] }
        : {
            method,
            url,
            headers: ["content-type", "application/x-www-form-urlencoded", ...this.#headers],
            body: form,
          };
    const { status, body } = await this.#client.request({
      ...request,
      timeoutMs,
      bodyBytesMax: answerBytesMax,
    });
    const text = Buffer.from(body).toString();
    let answer: { status?: string; data?: unknown; errorType?: string; error?: string };
    try {
      answer = JSON.parse(text) as typeof answer;
    } catch {
      throw new NarthexError("execution", `bad_response: response code ${status}`);
    }
    if (answer.status !== "success")
      throw new NarthexError("execution", `${answer.errorType ?? "unknown"}: ${answer.error ?? text}`);
    return answer.data as T;
  }

  close(): Promise<void> {
    return this.#client.close();
  }
}

/** What `--http.config.file` names; without a file the defaults. Throws `bad_data` or the disk's error. */
export function readHttpConfig(disk: Disk, file: string): HttpClientConfig {
  if (file === "") return httpClientConfig.default();
  const text = Buffer.from(disk.readFile(file)).toString();
  return httpClientConfig.decode(Place.parse(text, file, path.dirname(file)));
}
