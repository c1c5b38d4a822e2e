import type { LabelPair } from "@narthex/client";
import { type Collector, type CollectorContext, NoDataError } from "../collector.ts";
import { fieldsOf, linesOf, numberIn } from "../files.ts";

const nanosecondsPerSecond = 1e9;

export function createSchedstatCollector({ proc }: CollectorContext): Collector {
  return {
    collect(sink) {
      const text = proc.readIfPresent("schedstat");
      if (text === undefined) throw new NoDataError();
      const running = sink.counter(
        "node_schedstat_running_seconds_total",
        "Number of seconds CPU spent running a process.",
      );
      const waiting = sink.counter(
        "node_schedstat_waiting_seconds_total",
        "Number of seconds spent by processing waiting for this CPU.",
      );
      const timeslices = sink.counter(
        "node_schedstat_timeslices_total",
        "Number of timeslices executed by CPU.",
      );
      for (const line of linesOf(text)) {
        const [name = "", ...values] = fieldsOf(line);
        if (!/^cpu\d+$/.test(name)) continue;
        const labels: LabelPair[] = [["cpu", name.slice("cpu".length)]];
        running.add(numberIn("schedstat", values[6]) / nanosecondsPerSecond, labels);
        waiting.add(numberIn("schedstat", values[7]) / nanosecondsPerSecond, labels);
        timeslices.add(numberIn("schedstat", values[8]), labels);
      }
    },
  };
}
