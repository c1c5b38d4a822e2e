import { Agent, request } from "node:http";

export interface Answer {
  status: number;
  body: Buffer;
}

const agent = new Agent({ keepAlive: true });

/**
 * Asks a server on this machine on a kept connection and without compression: what is measured is the server, and the client shares its
 * machine.
 */
export function get(port: number, path: string): Promise<Answer> {
  return send("GET", port, path);
}

function send(method: string, port: number, path: string, body?: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request(`http://127.0.0.1:${port}${path}`, { agent, method }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => resolve({ status: response.statusCode!, body: Buffer.concat(chunks) }));
      response.on("error", reject);
    });
    asked.on("error", reject);
    asked.end(body);
  });
}

/** The body of an answer that must be a success. */
export async function getBody(port: number, path: string): Promise<Buffer> {
  const { status, body } = await get(port, path);
  if (status !== 200) throw new Error(`${path} failed with ${status}: ${body.toString().slice(0, 300)}`);
  return body;
}

/** Must succeed, with whatever status says so. */
export async function post(port: number, path: string, body = ""): Promise<void> {
  const { status, body: answer } = await send("POST", port, path, body);
  if (status >= 300) throw new Error(`${path} failed with ${status}: ${answer.toString().slice(0, 300)}`);
}

/** Times in seconds. */
export interface Range {
  start: number;
  end: number;
  step: number;
}

export function rangePath(expr: string, { start, end, step }: Range): string {
  return `/api/v1/query_range?query=${encodeURIComponent(expr)}&start=${start}&end=${end}&step=${step}`;
}

export function instantPath(expr: string): string {
  return `/api/v1/query?query=${encodeURIComponent(expr)}`;
}
