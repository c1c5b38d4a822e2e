/** What tests replace (clock, disk, log) and what everyone shares (errors, secrets). It imports nothing of ours. */
export { type Clock, type Timer, SimulatedClock, sleep, systemClock } from "./clock.ts";
export { type Disk, type FileStat, systemDisk } from "./disk.ts";
export { globFiles, matchesGlob } from "./glob.ts";
export { type ErrorCode, NarthexError, assert, errorCode, errorMessage } from "./errors.ts";
export {
  type LogFields,
  type LogFormat,
  type LogLevel,
  type LogOptions,
  type Logger,
  createLogger,
  parseLogOptions,
  silentLogger,
} from "./log.ts";
export { Secret, secretMask } from "./secret.ts";
export {
  boolFlag,
  type FlagDefinition,
  Flags,
  type FlagValue,
  formatFlagHelp,
  listFlag,
  parseFlags,
  textFlag,
} from "./flags.ts";
export { threadFile } from "./thread-file.ts";
export { threadHeap } from "./thread-heap.ts";
export { lowerThreadPriority } from "./thread-priority.ts";
export { RecentMap } from "./recent-map.ts";
export { releaseBytes } from "./release.ts";
export { ExecutablePages } from "./executable-pages.ts";
export { type SystemMemory, loadSystemMemory } from "./system-memory.ts";
