import { readFileSync } from "node:fs";

const zoneDirectory = "/usr/share/zoneinfo";
const headerBytes = 44;
/** Offset, whether it is daylight saving time, index of the name. */
const typeBytes = 6;

/**
 * What the local time zone is called while it has this offset: `CET`, `CEST`. The runtime knows offsets but not these
 * names, so they come from the system's own zone file; without one it is `UTC`.
 */
export function zoneAbbreviation(offsetSeconds: number): string {
  try {
    return readAbbreviation(readFileSync(zoneFile()), offsetSeconds) ?? "UTC";
  } catch {
    return "UTC";
  }
}

function zoneFile(): string {
  const zone = process.env["TZ"]?.replace(/^:/, "");
  if (zone === undefined || zone === "") return "/etc/localtime";
  return zone.startsWith("/") ? zone : `${zoneDirectory}/${zone}`;
}

/**
 * The abbreviation of the type with this offset that was in force last. The file (RFC 9636) has a block with 32-bit times,
 * and since version 2 a second one with 64-bit times that holds the truth.
 */
function readAbbreviation(file: Buffer, offsetSeconds: number): string | undefined {
  if (file.toString("latin1", 0, 4) !== "TZif") return undefined;
  const first = readBlock(file, 0, 4);
  const block = file.readUInt8(4) === 0 ? first : readBlock(file, first.end, 8);
  for (const type of [...block.types.keys(), ...block.beginTypes].toReversed()) {
    const { offset, name } = block.types[type]!;
    if (offset === offsetSeconds) return name;
  }
  return undefined;
}

interface ZoneBlock {
  /** The type that each transition begins. */
  readonly beginTypes: Buffer;
  readonly types: readonly { offset: number; name: string }[];
  readonly end: number;
}

/** A header with counts, the times of transitions, the type each begins, the types, their names, and more. */
function readBlock(file: Buffer, start: number, timeBytes: number): ZoneBlock {
  const [utFlags, standardFlags, leaps, transitions, types, nameBytes] = [20, 24, 28, 32, 36, 40].map((at) =>
    file.readUInt32BE(start + at),
  ) as [number, number, number, number, number, number];
  const beginsAt = start + headerBytes + transitions * timeBytes;
  const typesAt = beginsAt + transitions;
  const namesAt = typesAt + types * typeBytes;
  return {
    beginTypes: file.subarray(beginsAt, typesAt),
    types: Array.from({ length: types }, (_, index) => {
      const at = typesAt + index * typeBytes;
      const nameAt = namesAt + file.readUInt8(at + 5);
      return { offset: file.readInt32BE(at), name: file.toString("latin1", nameAt, file.indexOf(0, nameAt)) };
    }),
    end: namesAt + nameBytes + leaps * (timeBytes + 4) + standardFlags + utFlags,
  };
}
