import { createHash } from "node:crypto";
import { type Clock, type Disk, errorMessage, globFiles, type Timer } from "../base/index.ts";

export interface ConfigWatchOptions {
  disk: Disk;
  clock: Clock;
  intervalMs: number;
  /** Files and patterns whose content counts; asked anew each time. */
  files: () => readonly string[];
  /** Must not reject. */
  reload: () => Promise<void>;
}

/** Calls `reload` when the content of the files has changed since the last look. */
export function watchConfig(options: ConfigWatchOptions): { close(): void } {
  const { clock, intervalMs, reload } = options;
  let timer: Timer;
  let last = digestFiles(options);
  let isClosed = false;
  const look = async (): Promise<void> => {
    const now = digestFiles(options);
    if (now !== last) {
      last = now;
      await reload();
    }
    if (!isClosed) arm();
  };
  const arm = (): void => {
    timer = clock.after(intervalMs, () => void look());
  };
  arm();
  return {
    close: () => {
      isClosed = true;
      timer.cancel();
    },
  };
}

function digestFiles({ disk, files }: ConfigWatchOptions): string {
  const digest = createHash("sha256");
  for (const pattern of files()) {
    try {
      for (const file of globFiles(disk, pattern)) digest.update(`${file}\0`).update(disk.readFile(file));
    } catch (error) {
      // What is wrong with it counts as its content; the reload says it to the user.
      digest.update(errorMessage(error));
    }
  }
  return digest.digest("hex");
}
