import type { Disk } from "../../base/index.ts";

/** Refs are reserved so many at a time, so that the file is rarely written. */
const reservedRefs = 65_536;

/**
 * Remembers a bound on the refs in the log, so that after a start new series can get refs, and samples be written, before the log is
 * read. The file `series-refs.json` says { "reserved": R, "segment": S }: no segment up to S has a ref of R or more. It is derived: without
 * it, or when the log goes on beyond S because somebody else wrote it, appending waits for the replay.
 */
export class RefReservation {
  readonly #disk: Disk;
  readonly #path: string;
  #reserved = 0;
  #segment = -1;

  constructor(disk: Disk, directory: string) {
    this.#disk = disk;
    this.#path = `${directory}/series-refs.json`;
  }

  /** The first ref that no record of the log has, when `lastSegment` is the log's last; undefined when that is not known. */
  load(lastSegment: number): number | undefined {
    if (this.#disk.stat(this.#path) === undefined) return undefined;
    try {
      const { reserved, segment } = JSON.parse(
        Buffer.from(this.#disk.readFile(this.#path)).toString(),
      ) as Record<string, unknown>;
      if (segment !== lastSegment || !Number.isSafeInteger(reserved)) return undefined;
      return reserved as number;
    } catch {
      return undefined;
    }
  }

  /** To be called before refs below `nextRef` are written to `segment`. Throws the disk's error. */
  cover(nextRef: number, segment: number): void {
    if (nextRef > this.#reserved) return this.#write(nextRef + reservedRefs, segment);
    if (segment === this.#segment) return;
    // Should a power cut take this away, the file names an earlier segment, and appending waits for the replay: no reason to wait for the disk.
    this.#replace(this.#reserved, segment);
    this.#segment = segment;
  }

  /** At a clean end: gives back what was reserved and not used. */
  settle(nextRef: number, segment: number): void {
    this.#write(nextRef, segment);
  }

  #write(reserved: number, segment: number): void {
    this.#disk.writeFileAtomic(this.#path, encode(reserved, segment));
    this.#reserved = reserved;
    this.#segment = segment;
  }

  #replace(reserved: number, segment: number): void {
    const temporary = `${this.#path}.tmp`;
    const fd = this.#disk.open(temporary, "w");
    try {
      this.#disk.write(fd, encode(reserved, segment));
    } finally {
      this.#disk.close(fd);
    }
    this.#disk.rename(temporary, this.#path);
  }
}

function encode(reserved: number, segment: number): Uint8Array {
  return Buffer.from(`${JSON.stringify({ reserved, segment })}\n`);
}
