import { NarthexError, errorMessage } from "./errors.ts";

export type LogLevel = "debug" | "info" | "warn" | "error";
export type LogFormat = "logfmt" | "json";
export type LogFields = Record<string, unknown>;

const levels: readonly LogLevel[] = ["debug", "info", "warn", "error"];

/** Writes lines as upstream's slog does: `time=… level=INFO msg="…" component=… key=value`. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger whose lines all carry `fields`. */
  with(fields: LogFields): Logger;
}

export interface LogOptions {
  level?: LogLevel;
  format?: LogFormat;
  /** Takes each finished line, newline included; the default is standard error. */
  write?: (line: string) => void;
  nowMs?: () => number;
}

/** Reads the values of `--log.level` and `--log.format`. Throws `bad_data` naming what is allowed. */
export function parseLogOptions(level: string, format: string): { level: LogLevel; format: LogFormat } {
  if (!levels.includes(level as LogLevel)) {
    throw new NarthexError(
      "bad_data",
      `invalid --log.level ${JSON.stringify(level)}: expected one of ${levels.join(", ")}`,
    );
  }
  if (format !== "logfmt" && format !== "json") {
    throw new NarthexError(
      "bad_data",
      `invalid --log.format ${JSON.stringify(format)}: expected logfmt or json`,
    );
  }
  return { level: level as LogLevel, format };
}

export function createLogger(options: LogOptions = {}): Logger {
  const threshold = levels.indexOf(options.level ?? "info");
  const encode = options.format === "json" ? encodeJson : encodeLogfmt;
  const write = options.write ?? ((line: string) => void process.stderr.write(line));
  const nowMs = options.nowMs ?? Date.now;
  const bind = (bound: LogFields): Logger => {
    const at = (level: LogLevel) => (message: string, fields?: LogFields) => {
      if (levels.indexOf(level) < threshold) return;
      const time = new Date(nowMs()).toISOString();
      write(encode({ time, level: level.toUpperCase(), msg: message, ...bound, ...fields }));
    };
    return {
      debug: at("debug"),
      info: at("info"),
      warn: at("warn"),
      error: at("error"),
      with: (fields) => bind({ ...bound, ...fields }),
    };
  };
  return bind({});
}

/** Swallows everything; for tests and for parts that are used as a library. */
export const silentLogger: Logger = createLogger({ write: () => {} });

function text(value: unknown): string {
  if (value instanceof Error) return errorMessage(value);
  return typeof value === "object" && value !== null ? JSON.stringify(value) : String(value);
}

function encodeLogfmt(fields: LogFields): string {
  const parts = [];
  for (const [key, value] of Object.entries(fields)) {
    const shown = text(value);
    parts.push(`${key}=${/^[^\s"=\\]+$/u.test(shown) ? shown : JSON.stringify(shown)}`);
  }
  return `${parts.join(" ")}\n`;
}

function encodeJson(fields: LogFields): string {
  return `${JSON.stringify(fields, (_, value: unknown) => (value instanceof Error ? errorMessage(value) : value))}\n`;
}
