import type { CounterChild, Registry } from "@narthex/client";
import type { Socket } from "node:net";
import type { buildConnector } from "undici";

const reasons = ["refused", "resolution", "timeout", "unknown"] as const;
type Reason = (typeof reasons)[number];

const reasonOfCode: Readonly<Record<string, Reason>> = {
  ECONNREFUSED: "refused",
  ENOTFOUND: "resolution",
  EAI_AGAIN: "resolution",
  ETIMEDOUT: "timeout",
  UND_ERR_CONNECT_TIMEOUT: "timeout",
};

/** Counts the connections that clients open, by upstream's names; each client under a name of its user's. */
export class DialMetrics {
  readonly #metrics;

  constructor(registry: Registry) {
    const labelNames = ["dialer_name"] as const;
    const counter = (event: string, help: string) =>
      registry.counter({ name: `net_conntrack_dialer_conn_${event}_total`, help, labelNames });
    this.#metrics = {
      attempted: counter("attempted", "Connections that were tried."),
      established: counter("established", "Connections that came about."),
      closed: counter("closed", "Connections that were closed."),
      failed: registry.counter({
        name: "net_conntrack_dialer_conn_failed_total",
        help: "Connections that did not come about.",
        labelNames: ["dialer_name", "reason"],
      }),
    };
  }

  dialer(name: string): Dialer {
    const { attempted, established, closed, failed } = this.#metrics;
    const label = { dialer_name: name };
    return new Dialer({
      attempted: attempted.labels(label),
      established: established.labels(label),
      closed: closed.labels(label),
      failed: Object.fromEntries(
        reasons.map((reason) => [reason, failed.labels({ dialer_name: name, reason })] as const),
      ) as Record<Reason, CounterChild>,
    });
  }

  /** Takes away what a client counted that is no more. */
  forget(name: string): void {
    const { failed, ...others } = this.#metrics;
    for (const metric of Object.values(others)) metric.remove({ dialer_name: name });
    for (const reason of reasons) failed.remove({ dialer_name: name, reason });
  }
}

interface DialCounts extends Record<"attempted" | "established" | "closed", CounterChild> {
  failed: Record<Reason, CounterChild>;
}

/** Counts the connections of one client. */
export class Dialer {
  readonly #counts: DialCounts;

  constructor(counts: DialCounts) {
    this.#counts = counts;
  }

  /** Follows a socket that has just begun to connect. One that is given up before it has was too slow. */
  follow(socket: Socket): void {
    const { attempted, established, closed, failed } = this.#counts;
    let isConnecting = true;
    attempted.inc();
    socket.once("connect", () => {
      isConnecting = false;
      established.inc();
    });
    socket.once("error", (error) => {
      if (isConnecting) this.#failed(error);
    });
    socket.once("close", (hadError) => {
      if (!isConnecting) closed.inc();
      else if (!hadError) failed.timeout.inc();
    });
  }

  /** The connector, counted. */
  counting(connect: buildConnector.connector): buildConnector.connector {
    const { attempted, established, closed } = this.#counts;
    return (options, callback) => {
      attempted.inc();
      connect(options, (...outcome) => {
        const [error, socket] = outcome;
        if (error) this.#failed(error);
        else {
          established.inc();
          socket.once("close", () => closed.inc());
        }
        callback(...outcome);
      });
    };
  }

  #failed(error: Error): void {
    const code = (error as NodeJS.ErrnoException).code ?? "";
    this.#counts.failed[reasonOfCode[code] ?? "unknown"].inc();
  }
}
