import { type Disk, NarthexError } from "../../base/index.ts";
import { formatGoDuration } from "../../model/index.ts";

/** Where a tool prints to. */
export type Output = (text: string) => void;

/** Throws `not_found` when the data directory is none. */
export function checkDataDirectory(disk: Disk, dataDirectory: string): void {
  const stat = disk.stat(dataDirectory);
  if (stat?.isDirectory) return;
  const reason = stat === undefined ? "no such file or directory" : "not a directory";
  throw new NarthexError("not_found", `opening the db dir: stat ${dataDirectory}: ${reason}`);
}

const cellWidthMin = 13;
const cellPadding = 2;

/** Rows as columns, as upstream's tables: every cell but a row's last is padded. */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows)
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? cellWidthMin, cell.length + cellPadding);
    });
  const line = (row: readonly string[]): string =>
    row.map((cell, column) => (column < row.length - 1 ? cell.padEnd(widths[column]!) : cell)).join("");
  return rows.map((row) => `${line(row)}\n`).join("");
}

/** `1h59m59.999s`, as Go prints a duration. */
export function formatMilliseconds(ms: number): string {
  return formatGoDuration(BigInt(Math.round(ms * 1e6)));
}

/** `2023-11-14 22:13:20 +0000 UTC`. */
export function formatUtcTime(timestampMs: number): string {
  const text = new Date(Math.trunc(timestampMs / 1000) * 1000).toISOString();
  return `${text.slice(0, -5).replace("T", " ")} +0000 UTC`;
}
