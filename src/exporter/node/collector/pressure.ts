import { NarthexError } from "../../../base/index.ts";
import { type Collector, type CollectorContext, NoDataError } from "../collector.ts";
import { errorCode } from "../files.ts";

interface Stall {
  /** The line of the file: `some` task waited, or the machine stood still in `full`. */
  readonly line: "some" | "full";
  readonly name: string;
  readonly help: string;
}

const resources: readonly { name: string; stalls: readonly Stall[] }[] = [
  {
    name: "cpu",
    stalls: [
      {
        line: "some",
        name: "cpu_waiting",
        help: "Total time in seconds that processes have waited for CPU time",
      },
    ],
  },
  {
    name: "io",
    stalls: [
      {
        line: "some",
        name: "io_waiting",
        help: "Total time in seconds that processes have waited due to IO congestion",
      },
      {
        line: "full",
        name: "io_stalled",
        help: "Total time in seconds no process could make progress due to IO congestion",
      },
    ],
  },
  {
    name: "memory",
    stalls: [
      {
        line: "some",
        name: "memory_waiting",
        help: "Total time in seconds that processes have waited for memory",
      },
      {
        line: "full",
        name: "memory_stalled",
        help: "Total time in seconds no process could make progress due to memory congestion",
      },
    ],
  },
  {
    name: "irq",
    stalls: [
      {
        line: "full",
        name: "irq_stalled",
        help: "Total time in seconds no process could make progress due to IRQ congestion",
      },
    ],
  },
];

export function createPressureCollector({ proc }: CollectorContext): Collector {
  return {
    collect(sink) {
      let found = false;
      for (const { name: resource, stalls } of resources) {
        const text = readPressure(() => proc.readIfPresent(`pressure/${resource}`));
        if (text === undefined) continue;
        found = true;
        for (const { line, name, help } of stalls) {
          sink.counter(`node_pressure_${name}_seconds_total`, help).add(totalSeconds(text, resource, line));
        }
      }
      if (!found) throw new NoDataError();
    },
  };
}

/** Kernels that can tell but were started with `psi=0` answer EOPNOTSUPP. */
function readPressure(read: () => string | undefined): string | undefined {
  try {
    return read();
  } catch (error) {
    if (errorCode(error) === "EOPNOTSUPP" || errorCode(error) === "ENOTSUP") throw new NoDataError();
    throw error;
  }
}

/** The file counts microseconds. */
function totalSeconds(text: string, resource: string, line: string): number {
  const total = new RegExp(`^${line} .*total=(\\d+)$`, "m").exec(text)?.[1];
  if (total === undefined)
    throw new NarthexError("bad_data", `pressure/${resource} has no total for ${line}`);
  return Number(total) / 1000 / 1000;
}
