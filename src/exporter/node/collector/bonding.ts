import { type Collector, type CollectorContext, NoDataError } from "../collector.ts";
import { fieldsOf } from "../files.ts";

export function createBondingCollector({ sys }: CollectorContext): Collector {
  return {
    collect(sink) {
      const masters = sys.attribute("class/net/bonding_masters");
      if (masters === undefined) throw new NoDataError();
      const configured = sink.gauge(
        "node_bonding_slaves",
        "Number of configured slaves per bonding interface.",
      );
      const active = sink.gauge("node_bonding_active", "Number of active slaves per bonding interface.");
      for (const master of fieldsOf(masters)) {
        const directory = `class/net/${master}`;
        const slaves = fieldsOf(sys.attribute(`${directory}/bonding/slaves`) ?? "");
        // Older kernels say slave_ for lower_.
        const states = slaves.map((slave) =>
          ["lower", "slave"]
            .map((prefix) => sys.attribute(`${directory}/${prefix}_${slave}/bonding_slave/mii_status`))
            .find((state) => state !== undefined),
        );
        configured.add(slaves.length, [["master", master]]);
        active.add(states.filter((state) => state === "up").length, [["master", master]]);
      }
    },
  };
}
