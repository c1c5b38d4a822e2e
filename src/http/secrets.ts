import { type Disk, errorMessage, NarthexError, type Secret } from "../base/index.ts";

/** A secret given in place or in a file that is read each time it is used, trimmed. Throws `unavailable` naming the file. */
export function readSecret(value: Secret | string, file: string, disk: Disk, what: string): string {
  if (file === "") return typeof value === "string" ? value : value.reveal();
  try {
    return Buffer.from(disk.readFile(file)).toString("utf8").trim();
  } catch (error) {
    throw new NarthexError(
      "unavailable",
      `unable to read ${what}: unable to read file ${file}: ${errorMessage(error)}`,
      {
        cause: error,
      },
    );
  }
}

export function basicCredentials(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}
