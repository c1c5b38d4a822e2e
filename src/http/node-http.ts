import type nodeHttp from "node:http";

/**
 * `node:http`. An `import` of it would read each of its exports, and some of those load the platform's whole fetch API when they are read, some 14 MB, which only servers
 * of requests that are not plain need.
 */
export const http: typeof nodeHttp = process.getBuiltinModule("node:http");
