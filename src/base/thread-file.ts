/**
 * The file of a worker thread's program, `name` without its ending, beside the module that calls. As it stands in `src` that is a
 * `.ts` file; in the bundle all programs lie in one folder and end in `.js`, so names of threads must differ.
 */
export function threadFile(name: string, caller: ImportMeta): URL {
  const ending = caller.url.endsWith(".ts") ? "ts" : "js";
  return new URL(`./${name}.${ending}`, caller.url);
}
