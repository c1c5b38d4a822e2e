import { readFileSync } from "node:fs";
import { posix } from "node:path";
import type { Collector, CollectorContext } from "../collector.ts";

export function createSelinuxCollector({ sys, options }: CollectorContext): Collector {
  return {
    collect(sink) {
      const current = sys.number("fs/selinux/enforce");
      const enabled = sink.gauge("node_selinux_enabled", "SELinux is enabled, 1 is true, 0 is false");
      enabled.add(current === undefined ? 0 : 1);
      if (current === undefined) return;
      sink
        .gauge("node_selinux_config_mode", "Configured SELinux enforcement mode")
        .add(configuredMode(options.rootfsPath));
      sink.gauge("node_selinux_current_mode", "Current SELinux enforcement mode").add(current);
    },
  };
}

/** 1 enforcing, 0 permissive, -1 disabled or unknown. */
function configuredMode(rootfsPath: string): number {
  try {
    const config = readFileSync(posix.join(rootfsPath, "etc/selinux/config"), "utf8");
    const mode = /^SELINUX=\s*(\w+)/m.exec(config)?.[1];
    return mode === "enforcing" ? 1 : mode === "permissive" ? 0 : -1;
  } catch {
    return -1;
  }
}
