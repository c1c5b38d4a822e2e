import type { Disk } from "../../base/index.ts";

/** Refs are reserved so many at a time, so that the file is rarely written: a segment of the log has no more new series. */
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

  /** Whether refs below `nextRef` may be written to `segment`; if not, another is to be begun for them. */
  covers(nextRef: number, segment: number): boolean {
    return segment === this.#segment && nextRef <= this.#reserved;
  }

  /**
   * To be called when `segment` begins, before anything is in it. Nothing waits for the disk: should a power cut take this away, or the disk refuse it, the file names an earlier segment,
   * and appending waits for the replay. Throws the disk's error.
   */
  begin(nextRef: number, segment: number): void {
    this.#reserved = Math.max(this.#reserved, nextRef + reservedRefs);
    this.#segment = segment;
    this.#replace(this.#reserved, segment);
  }

  /** At a clean end: gives back what was reserved and not used. Throws the disk's error. */
  settle(nextRef: number, segment: number): void {
    this.#disk.writeFileAtomic(this.#path, encode(nextRef, segment));
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
