import type { Registry } from "@narthex/client";

/** Registers a metric without labels, whose value is read when it is gathered. */
export type RegisterFunction = (name: string, help: string, read: () => number) => void;

/** The ways in which the storage's metrics without labels are registered. */
export function metricFunctions(registry: Registry): { gauge: RegisterFunction; counter: RegisterFunction } {
  return {
    gauge: (name, help, read) => registry.gaugeFunction({ name, help }, read),
    counter: (name, help, read) => registry.counterFunction({ name, help }, read),
  };
}
