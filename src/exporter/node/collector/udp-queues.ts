import { type Collector, type CollectorContext, NoDataError } from "../collector.ts";
import { fieldsOf, linesOf } from "../files.ts";

/** `tx:rx` queue lengths, hexadecimal, of each socket. */
const queuesField = 4;

export function createUdpQueuesCollector({ proc }: CollectorContext): Collector {
  return {
    collect(sink) {
      const queues = sink.gauge(
        "node_udp_queues",
        "Number of allocated memory in the kernel for UDP datagrams in bytes.",
      );
      for (const [ip, file] of [
        ["v4", "net/udp"],
        ["v6", "net/udp6"],
      ] as const) {
        const text = proc.readIfPresent(file);
        if (text === undefined) continue;
        let sentBytes = 0;
        let receivedBytes = 0;
        for (const line of linesOf(text).slice(1)) {
          const [sent = "", received = ""] = fieldsOf(line)[queuesField]?.split(":") ?? [];
          sentBytes += parseInt(sent, 16);
          receivedBytes += parseInt(received, 16);
        }
        queues.add(sentBytes, [
          ["queue", "tx"],
          ["ip", ip],
        ]);
        queues.add(receivedBytes, [
          ["queue", "rx"],
          ["ip", ip],
        ]);
      }
      if (queues.samples.length === 0) throw new NoDataError();
    },
  };
}
