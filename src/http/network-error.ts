import { NarthexError } from "../base/index.ts";

/** The error in Go's manner, `Get "http://host/path": connect: connection refused`, without credentials from the URL. */
export function describeNetworkError(error: unknown, method: string, url: URL): unknown {
  if (error instanceof NarthexError && error.code === "bad_data") return error;
  const systemError = error as NodeJS.ErrnoException;
  const isNetwork = error instanceof NarthexError || typeof systemError.code === "string";
  if (!isNetwork) return error;
  const shown = new URL(url);
  shown.username = "";
  shown.password = "";
  const verb = method.charAt(0) + method.slice(1).toLowerCase();
  const code = error instanceof NarthexError ? error.code : "unavailable";
  return new NarthexError(code, `${verb} ${JSON.stringify(shown.href)}: ${reason(systemError)}`, {
    cause: error,
  });
}

function reason(
  error: NodeJS.ErrnoException & { address?: string; port?: number; hostname?: string },
): string {
  const at = error.address === undefined ? "" : `dial tcp ${error.address}:${error.port}: `;
  switch (error.code) {
    case "ECONNREFUSED":
      return `${at}connect: connection refused`;
    case "ENOTFOUND":
      return `dial tcp: lookup ${error.hostname ?? ""}: no such host`;
    case "ECONNRESET":
      return "read: connection reset by peer";
    case "EHOSTUNREACH":
      return `${at}connect: no route to host`;
    case "ENETUNREACH":
      return `${at}connect: network is unreachable`;
    case "UND_ERR_CONNECT_TIMEOUT":
      return "context deadline exceeded";
    case "UND_ERR_SOCKET":
      return error.message === "other side closed" ? "EOF" : error.message;
    default:
      return error.message || String(error.code);
  }
}
