/** The HTTP front of the server: API, lifecycle, own metrics and the web UI's files. */
export type { BuildInfo, Lifecycle, StatusView, UiOptions, WebParts } from "./parts.ts";
export { parseTime } from "./api/params.ts";
export { createWeb, type Web } from "./web.ts";
