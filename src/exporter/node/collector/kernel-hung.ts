import { type Collector, type CollectorContext, NoDataError } from "../collector.ts";

export function createKernelHungCollector({ proc }: CollectorContext): Collector {
  return {
    collect(sink) {
      const tasks = proc.number("sys/kernel/hung_task_detect_count");
      if (tasks === undefined) throw new NoDataError();
      sink
        .counter(
          "node_kernel_hung_tasks_total",
          "Total number of tasks that have been detected as hung since the system booted.",
        )
        .add(tasks);
    },
  };
}
