import type { Collector, CollectorContext } from "../collector.ts";
import { fieldsOf, linesOf, numberIn } from "../files.ts";

/** In the order of the fields after the sum. */
const softirqVectors = [
  "hi",
  "timer",
  "net_tx",
  "net_rx",
  "block",
  "block_iopoll",
  "tasklet",
  "sched",
  "hrtimer",
  "rcu",
] as const;

export function createStatCollector({ proc, options }: CollectorContext): Collector {
  return {
    collect(sink) {
      const lines = new Map(
        linesOf(proc.read("stat")).map((line) => [line.slice(0, line.indexOf(" ")), line]),
      );
      /** The numbers of one line; a kernel that lacks the line counts as zero. */
      const numbers = (key: string): number[] =>
        fieldsOf(lines.get(key) ?? `${key} 0`)
          .slice(1)
          .map((text) => numberIn("stat", text));
      const first = (key: string): number => numbers(key)[0] ?? 0;

      sink.counter("node_intr_total", "Total number of interrupts serviced.").add(first("intr"));
      sink.counter("node_context_switches_total", "Total number of context switches.").add(first("ctxt"));
      sink.counter("node_forks_total", "Total number of forks.").add(first("processes"));
      sink.gauge("node_boot_time_seconds", "Node boot time, in unixtime.").add(first("btime"));
      sink.gauge("node_procs_running", "Number of processes in runnable state.").add(first("procs_running"));
      sink
        .gauge("node_procs_blocked", "Number of processes blocked waiting for I/O to complete.")
        .add(first("procs_blocked"));
      if (!options.statSoftirq) return;
      const softirqs = sink.counter("node_softirqs_total", "Number of softirq calls.");
      const [, ...calls] = numbers("softirq");
      for (const [index, vector] of softirqVectors.entries()) {
        softirqs.add(calls[index] ?? 0, [["vector", vector]]);
      }
    },
  };
}
