import { errorMessage, NarthexError } from "../../base/index.ts";

/** Bytes of a block that contradict the format or their checksum. The file stays as it is. */
export class BlockDamagedError extends NarthexError {
  readonly path: string;
  /** Where in the file, in bytes. */
  readonly offset: number;
  readonly reason: string;

  constructor(path: string, offset: number, reason: string) {
    super("internal", `${path}: damaged at byte ${offset}: ${reason}`);
    this.name = "BlockDamagedError";
    this.path = path;
    this.offset = offset;
    this.reason = reason;
  }
}

/** The disk would not read a file of a block; nothing is known of its bytes. `cause` is the disk's error. */
export class BlockUnreadableError extends NarthexError {
  constructor(path: string, offset: number, cause: unknown) {
    super("internal", `${path}: cannot be read at byte ${offset}: ${errorMessage(cause)}`, { cause });
    this.name = "BlockUnreadableError";
  }
}

/** What readers had to leave out, counted. One per thread or per block, as its owner likes. */
export class BlockNotices {
  damages = 0;
  readonly #report: (error: BlockDamagedError) => void;

  /** `report` hears of each. */
  constructor(report: (error: BlockDamagedError) => void = () => {}) {
    this.#report = report;
  }

  damaged(error: BlockDamagedError): void {
    this.damages++;
    this.#report(error);
  }
}
