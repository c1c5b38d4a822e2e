import { NarthexError } from "../../../base/index.ts";
import type { Collector, CollectorContext } from "../collector.ts";
import { fieldsOf, linesOf, numberIn } from "../files.ts";
import { NameFilter } from "../filter.ts";

interface Statistic {
  readonly protocol: string;
  readonly name: string;
  readonly value: number;
}

export function createNetstatCollector({ proc, options }: CollectorContext): Collector {
  const filter = new NameFilter({ include: options.netstatFields });
  return {
    collect(sink) {
      const statistics = [
        ...parsePaired("net/netstat", proc.read("net/netstat")),
        ...parsePaired("net/snmp", proc.read("net/snmp")),
        // Missing where IPv6 is switched off.
        ...parseSnmp6(proc.readIfPresent("net/snmp6") ?? ""),
      ];
      for (const { protocol, name, value } of statistics) {
        const field = `${protocol}_${name}`;
        if (!filter.passes(field)) continue;
        sink.untyped(`node_netstat_${field}`, `Statistic ${protocol}${name}.`).add(value);
      }
    },
  };
}

/** `Tcp: InSegs OutSegs …`, then a line with the same number of values. */
function parsePaired(file: string, text: string): Statistic[] {
  const lines = linesOf(text);
  const statistics: Statistic[] = [];
  for (let i = 0; i + 1 < lines.length; i += 2) {
    const [head = "", ...names] = fieldsOf(lines[i]!);
    const [, ...values] = fieldsOf(lines[i + 1]!);
    const protocol = head.replace(/:$/, "");
    if (names.length !== values.length) {
      throw new NarthexError(
        "bad_data",
        `${file}: ${names.length} names and ${values.length} values for ${protocol}`,
      );
    }
    for (const [index, name] of names.entries()) {
      statistics.push({ protocol, name, value: numberIn(file, values[index]) });
    }
  }
  return statistics;
}

/** `Udp6InDatagrams 5`: the protocol's name ends with the 6. */
function parseSnmp6(text: string): Statistic[] {
  return linesOf(text).flatMap((line): Statistic[] => {
    const [key = "", value] = fieldsOf(line);
    const [, protocol, name] = /^([^6]*6)(.*)$/.exec(key) ?? [];
    if (protocol === undefined || name === undefined || value === undefined) return [];
    return [{ protocol, name, value: numberIn("net/snmp6", value) }];
  });
}
