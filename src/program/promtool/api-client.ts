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

  /** `http://` is understood before a URL without scheme. */
  constructor(url: string, config: HttpClientConfig = httpClientConfig.default()) {
    const bare = url.replace(/\/+$/, "");
    this.url = /^https?:\/\//.test(bare) ? bare : `http://${bare}`;
    this.#client = createHttpClient(config, { userAgent });
  }

  /** The `data` of an answer. Rejects with `execution` and the server's words when it refuses. */
  async ask<T>(endpoint: string, params: Readonly<Record<string, string>>): Promise<T> {
    const { status, body } = await this.#client.request({
      method: "POST",
      url: `${this.url}/api/v1/${endpoint}`,
      headers: ["content-type", "application/x-www-form-urlencoded"],
      body: new URLSearchParams(params).toString(),
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
