import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** An HTTP server of a test. */
export interface TestServer {
  /** `127.0.0.1:port`. */
  readonly address: string;
  readonly url: string;
  /** Closes it with all its connections. */
  close(): void;
}

/** Listens on a free port of this machine. */
export async function startTestServer(
  handle: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<TestServer> {
  const server = createServer(handle);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    address,
    url: `http://${address}`,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** Answers scrapes of any path with what `expose` returns for it, in the text format; 404 for undefined. */
export function startTarget(expose: (path: string) => string | undefined): Promise<TestServer> {
  return startTestServer((request, response) => {
    const body = expose(request.url ?? "/");
    response.writeHead(body === undefined ? 404 : 200, { "content-type": "text/plain; version=0.0.4" });
    response.end(body);
  });
}
