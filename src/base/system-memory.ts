import { createRequire } from "node:module";
import { errorMessage } from "./errors.ts";
import type { Logger } from "./log.ts";

/** What only the C library can do with the memory of this process. Main thread only. */
export interface SystemMemory {
  /**
   * Drops the pages of `bytes` at `address` or under a view, both multiples of the system's page: what is read there next is what the mapping began with, zeros or the file.
   * Returns whether it did.
   */
  releasePages(at: Uint8Array | bigint, bytes: number): boolean;
  /** Gives back what of the C heap is free, where the C library is one that can (glibc): below its top it keeps whatever was used once. */
  trimHeap(): void;
}

/** The part of koffi that is used here. */
interface Koffi {
  load(library: null): Library;
}
interface Library {
  /** Throws when the library has no such function. */
  func(name: string, result: string, parameters: string[]): (...args: unknown[]) => unknown;
}

/** Linux' number; elsewhere it has another, and another meaning. */
const madvDontNeed = 4;

let loaded: SystemMemory | undefined;
let isMissing = false;

/**
 * Loads koffi, which calls functions of the C library, the first time that it is asked for. Undefined where there is none: nothing but memory is lost
 * by that, so it is said once, at the level of debugging. Only the functions named here can be called.
 */
export function loadSystemMemory(logger: Logger): SystemMemory | undefined {
  if (loaded !== undefined || isMissing) return loaded;
  try {
    const koffi = createRequire(import.meta.url)(
      `@koromix/koffi-${process.platform}-${process.arch}`,
    ) as Koffi;
    loaded = bind(koffi.load(null));
  } catch (error) {
    isMissing = true;
    logger.debug("unused memory is not given back to the system", { err: errorMessage(error) });
  }
  return loaded;
}

function bind(library: Library): SystemMemory {
  const madvise = library.func("madvise", "int", ["void *", "size_t", "int"]);
  const trim = findTrim(library);
  return {
    releasePages: (at, bytes) => madvise(at, bytes, madvDontNeed) === 0,
    trimHeap: () => void trim?.(0),
  };
}

function findTrim(library: Library): ((padBytes: number) => unknown) | undefined {
  try {
    return library.func("malloc_trim", "int", ["size_t"]);
  } catch {
    return undefined;
  }
}
