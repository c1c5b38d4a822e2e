/** Exporters: programs that turn what something else knows into metrics. */
export * from "./node/index.ts";
