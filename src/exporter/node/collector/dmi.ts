import type { LabelPair } from "@narthex/client";
import { type Collector, type CollectorContext, NoDataError } from "../collector.ts";

/** Labels, and the files in /sys/class/dmi/id where they have another name. */
const labels: readonly (readonly [label: string, file: string])[] = [
  ...[
    "bios_date",
    "bios_release",
    "bios_vendor",
    "bios_version",
    "board_asset_tag",
    "board_name",
    "board_serial",
    "board_vendor",
    "board_version",
    "chassis_asset_tag",
    "chassis_serial",
    "chassis_vendor",
    "chassis_version",
    "product_family",
    "product_name",
    "product_serial",
    "product_sku",
    "product_uuid",
    "product_version",
  ].map((name) => [name, name] as const),
  ["system_vendor", "sys_vendor"],
];

/** Read once: it cannot change before the next boot. */
export function createDmiCollector({ sys }: CollectorContext): Collector {
  const found = labels.flatMap(([label, file]): LabelPair[] => {
    const value = sys.attribute(`class/dmi/id/${file}`);
    return value === undefined ? [] : [[label, value]];
  });
  return {
    collect(sink) {
      if (found.length === 0) throw new NoDataError();
      sink
        .gauge(
          "node_dmi_info",
          "A metric with a constant '1' value labeled by bios_date, bios_release, bios_vendor, bios_version, board_asset_tag, board_name, board_serial, board_vendor, board_version, chassis_asset_tag, chassis_serial, chassis_vendor, chassis_version, product_family, product_name, product_serial, product_sku, product_uuid, product_version, system_vendor if provided by DMI.",
        )
        .add(1, found);
    },
  };
}
