import { type Collector, type CollectorContext, NoDataError } from "../collector.ts";
import { fieldsOf, linesOf } from "../files.ts";

/** Columns of /proc/net/stat/nf_conntrack that are exposed. */
const statistics: ReadonlyMap<string, string> = new Map([
  ["found", "Number of searched entries which were successful."],
  ["invalid", "Number of packets seen which can not be tracked."],
  ["ignore", "Number of packets seen which are already connected to a conntrack entry."],
  ["insert", "Number of entries inserted into the list."],
  ["insert_failed", "Number of entries for which list insertion was attempted but failed."],
  ["drop", "Number of packets dropped due to conntrack failure."],
  [
    "early_drop",
    "Number of dropped conntrack entries to make room for new ones, if maximum table size was reached.",
  ],
  ["search_restart", "Number of conntrack table lookups which had to be restarted due to hashtable resizes."],
]);

export function createConntrackCollector({ proc }: CollectorContext): Collector {
  return {
    collect(sink) {
      const entries = proc.number("sys/net/netfilter/nf_conntrack_count");
      const limit = proc.number("sys/net/netfilter/nf_conntrack_max");
      const text = proc.readIfPresent("net/stat/nf_conntrack");
      // The kernel module is not loaded.
      if (entries === undefined || limit === undefined || text === undefined) throw new NoDataError();
      sink
        .gauge(
          "node_nf_conntrack_entries",
          "Number of currently allocated flow entries for connection tracking.",
        )
        .add(entries);
      sink.gauge("node_nf_conntrack_entries_limit", "Maximum size of connection tracking table.").add(limit);

      // A line of names, then for each CPU a line of hexadecimal values.
      const [head = "", ...lines] = linesOf(text);
      const names = fieldsOf(head);
      const rows = lines.map((line) => fieldsOf(line).map((value) => parseInt(value, 16)));
      for (const [name, help] of statistics) {
        const column = names.indexOf(name);
        const sum = rows.reduce((total, row) => total + (row[column] ?? 0), 0);
        sink.gauge(`node_nf_conntrack_stat_${name}`, help).add(sum);
      }
    },
  };
}
