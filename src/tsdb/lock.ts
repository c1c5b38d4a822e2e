import { readFileSync, statSync } from "node:fs";
import { type Disk, errorMessage, NarthexError } from "../base/index.ts";

const attemptsMax = 5;

/**
 * Holds a data directory for this process. The file `lock` says "PID STARTTIME BOOTID": a process with that number that began at that
 * time since that boot is its holder; when it is gone the lock is taken over. The file has its contents from the moment it appears, so that an
 * empty one is Prometheus': it holds an flock(2) on it, which Node cannot take but the system lists.
 */
export class DirectoryLock {
  readonly #disk: Disk;
  readonly #path: string;
  /** Whether the previous holder left without releasing the directory. */
  readonly replacedStale: boolean;

  private constructor(disk: Disk, path: string, replacedStale: boolean) {
    this.#disk = disk;
    this.#path = path;
    this.replacedStale = replacedStale;
  }

  /** Throws `unavailable` naming the holder when another process has the directory. */
  static acquire(disk: Disk, directory: string): DirectoryLock {
    const path = `${directory}/lock`;
    let replacedStale = false;
    for (let attempt = 0; attempt < attemptsMax; attempt++) {
      if (create(disk, path)) return new DirectoryLock(disk, path, replacedStale);
      if (disk.stat(path) === undefined) continue;
      const content = Buffer.from(disk.readFile(path)).toString();
      const holder = flockHolder(path) ?? writtenHolder(disk, content);
      if (holder !== undefined)
        throw new NarthexError(
          "unavailable",
          `data directory ${directory} is in use by process ${holder}: stop it or choose another directory`,
        );
      replacedStale = true;
      takeAside(disk, path, content);
    }
    throw new NarthexError(
      "unavailable",
      `data directory ${directory} cannot be locked: others keep taking it`,
    );
  }

  release(): void {
    this.#disk.remove(this.#path);
  }
}

/** False when somebody has the file already. */
function create(disk: Disk, path: string): boolean {
  const written = `${path}.${process.pid}`;
  try {
    const fd = disk.open(written, "w");
    try {
      disk.write(fd, Buffer.from(`${process.pid} ${startTime(disk, process.pid)} ${bootId(disk)}`));
    } finally {
      disk.close(fd);
    }
    disk.link(written, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw new NarthexError("unavailable", `cannot create ${path}: ${errorMessage(error)}`, { cause: error });
  } finally {
    disk.remove(written);
  }
}

/** Moves a stale lock away, unless somebody else has replaced it since it was read. */
function takeAside(disk: Disk, path: string, content: string): void {
  const aside = `${path}.stale.${process.pid}`;
  try {
    disk.rename(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw error;
  }
  if (Buffer.from(disk.readFile(aside)).toString() === content) disk.remove(aside);
  else disk.rename(aside, path);
}

/** The process that the file's text names, when it is alive. */
function writtenHolder(disk: Disk, content: string): string | undefined {
  const [pidText = "", start, boot] = content.trim().split(" ");
  const pid = Number(pidText);
  if (!Number.isSafeInteger(pid) || pid <= 0 || !isAlive(pid)) return undefined;
  return start === startTime(disk, pid) && boot === bootId(disk) ? pidText : undefined;
}

/** The process that holds an flock on the file, as far as the system tells. */
function flockHolder(path: string): string | undefined {
  try {
    const inode = String(statSync(path).ino);
    for (const line of readFileSync("/proc/locks", "utf8").split("\n")) {
      const lock = /FLOCK\s+\S+\s+\S+\s+(\d+)\s+[0-9a-f]+:[0-9a-f]+:(\d+)\s/.exec(line);
      if (lock?.[2] === inode) return lock[1];
    }
  } catch {
    // No /proc/locks here: then what the file says has to do.
  }
  return undefined;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Clock ticks from boot to the process' start; "?" where the system does not tell. */
function startTime(disk: Disk, pid: number): string {
  try {
    const stat = Buffer.from(disk.readFile(`/proc/${pid}/stat`)).toString();
    // The second field is a name in parentheses that may hold anything; the start time is the 22nd.
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "?";
  } catch {
    return "?";
  }
}

function bootId(disk: Disk): string {
  try {
    return Buffer.from(disk.readFile("/proc/sys/kernel/random/boot_id")).toString().trim();
  } catch {
    return "?";
  }
}
