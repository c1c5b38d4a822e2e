import { readFileSync } from "node:fs";
import type { Collector, CollectorContext } from "../collector.ts";
import { fieldsOf, linesOf, numberIn } from "../files.ts";
import type { MetricSink } from "../sink.ts";

export function createSockstatCollector({ proc }: CollectorContext): Collector {
  const pageBytes = readPageBytes();
  return {
    collect(sink) {
      // Either is missing where that version of IP is switched off.
      for (const file of ["net/sockstat", "net/sockstat6"]) {
        for (const line of linesOf(proc.readIfPresent(file) ?? "")) addLine(sink, file, line, pageBytes);
      }
    },
  };
}

/** `TCP: inuse 5 orphan 0 …` */
function addLine(sink: MetricSink, file: string, line: string, pageBytes: number): void {
  const [head = "", ...pairs] = fieldsOf(line);
  const protocol = head.replace(/:$/, "");
  for (let i = 0; i + 1 < pairs.length; i += 2) {
    const state = pairs[i]!;
    const value = numberIn(file, pairs[i + 1]);
    if (protocol === "sockets") {
      if (state === "used")
        sink.gauge("node_sockstat_sockets_used", "Number of IPv4 sockets in use.").add(value);
      continue;
    }
    const add = (name: string, count: number): void =>
      sink
        .gauge(`node_sockstat_${protocol}_${name}`, `Number of ${protocol} sockets in state ${name}.`)
        .add(count);
    add(state, value);
    if (state === "mem") add("mem_bytes", value * pageBytes);
  }
}

const auxiliaryPageSize = 6n;

/** The kernel hands the page size to every process in its auxiliary vector: pairs of 64-bit type and value. */
function readPageBytes(): number {
  const vector = readFileSync("/proc/self/auxv");
  for (let offset = 0; offset + 16 <= vector.length; offset += 16) {
    if (vector.readBigUInt64LE(offset) === auxiliaryPageSize)
      return Number(vector.readBigUInt64LE(offset + 8));
  }
  return 4096;
}
