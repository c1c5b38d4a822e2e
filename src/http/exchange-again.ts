import type { Exchanger, ResponseSink } from "./exchange.ts";

/** Errors of a kept connection that the peer closed just as it was used again. */
const staleConnectionCodes = new Set(["UND_ERR_SOCKET", "ECONNRESET", "EPIPE"]);

/** Tries once more when an idle connection turns out to be dead before any answer came; only what may be repeated. */
export async function exchangeAgain(
  exchange: Exchanger,
  ...[options, sink, redirects, clock]: Parameters<Exchanger>
): ReturnType<Exchanger> {
  let answered = false;
  const watched: ResponseSink = {
    head(status, statusText, headers) {
      answered = true;
      sink.head(status, statusText, headers);
    },
    body: (chunk) => sink.body(chunk),
  };
  try {
    return await exchange(options, watched, redirects, clock);
  } catch (error) {
    const repeatable = (options.method === "GET" || options.method === "HEAD") && !answered;
    if (!repeatable || !staleConnectionCodes.has((error as NodeJS.ErrnoException).code ?? "")) throw error;
    return exchange(options, watched, redirects, clock);
  }
}
