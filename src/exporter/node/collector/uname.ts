import { machine } from "node:os";
import type { Collector, CollectorContext } from "../collector.ts";

export function createUnameCollector({ proc }: CollectorContext): Collector {
  const kernel = (name: string): string => proc.read(`sys/kernel/${name}`).trim();
  return {
    collect(sink) {
      sink
        .gauge("node_uname_info", "Labeled system information as provided by the uname system call.")
        .add(1, [
          ["sysname", kernel("ostype")],
          ["release", kernel("osrelease")],
          ["version", kernel("version")],
          ["machine", machine()],
          ["nodename", kernel("hostname")],
          ["domainname", kernel("domainname")],
        ]);
    },
  };
}
