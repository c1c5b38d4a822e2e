import { NarthexError } from "../base/index.ts";

/** The shared memory has no room for what was asked. Nothing was changed; the process goes on. */
export class MemoryFullError extends NarthexError {
  readonly bytes: number;

  constructor(what: string, bytes: number) {
    super("unavailable", `shared memory is full: no room for ${bytes} bytes of ${what}`);
    this.name = "MemoryFullError";
    this.bytes = bytes;
  }
}

/** A query asked for more scratch memory than its budget. */
export class ScratchBudgetError extends NarthexError {
  readonly budgetBytes: number;

  constructor(budgetBytes: number) {
    super("execution", `query needs more than its memory budget of ${budgetBytes} bytes`);
    this.name = "ScratchBudgetError";
    this.budgetBytes = budgetBytes;
  }
}

/** A chunk's bytes contradict themselves; nothing outside of them was touched. */
export class ChunkDamagedError extends NarthexError {
  constructor(message: string) {
    super("internal", message);
    this.name = "ChunkDamagedError";
  }
}
