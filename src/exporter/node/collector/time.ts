import type { Collector, CollectorContext } from "../collector.ts";
import { fieldsOf } from "../files.ts";
import { zoneAbbreviation } from "../zone.ts";

const clocksources = "devices/system/clocksource";

export function createTimeCollector({ sys, clock }: CollectorContext): Collector {
  return {
    collect(sink) {
      const nowMs = clock.nowMs();
      const offsetSeconds = 0 - new Date(nowMs).getTimezoneOffset() * 60;
      sink.gauge("node_time_seconds", "System time in seconds since epoch (1970).").add(nowMs / 1000);
      sink
        .gauge("node_time_zone_offset_seconds", "System time zone offset in seconds.")
        .add(offsetSeconds, [["time_zone", zoneAbbreviation(offsetSeconds)]]);

      const available = sink.gauge(
        "node_time_clocksource_available_info",
        "Available clocksources read from '/sys/devices/system/clocksource'.",
      );
      const current = sink.gauge(
        "node_time_clocksource_current_info",
        "Current clocksource read from '/sys/devices/system/clocksource'.",
      );
      for (const name of sys.list(clocksources)) {
        const device = /^clocksource(\d+)$/.exec(name)?.[1];
        const chosen = sys.attribute(`${clocksources}/${name}/current_clocksource`);
        if (device === undefined || chosen === undefined) continue;
        for (const source of fieldsOf(sys.attribute(`${clocksources}/${name}/available_clocksource`) ?? "")) {
          available.add(1, [
            ["device", device],
            ["clocksource", source],
          ]);
        }
        current.add(1, [
          ["device", device],
          ["clocksource", chosen],
        ]);
      }
    },
  };
}
