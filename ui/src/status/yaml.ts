/** YAML in coloured pieces, for reading only: a line at a time, no more grammar than the eye needs. */

export interface Piece {
  kind: "plain" | "key" | "string" | "number" | "comment" | "mark";
  text: string;
}

const keyLine = /^(\s*(?:- +)*)([\w.$/-]+|"[^"]*"|'[^']*')(:)(?=\s|$)(.*)$/;
const itemLine = /^(\s*(?:- +)+)(.*)$/;

/** The pieces of one line; put together they are the line again. */
export function yamlPieces(line: string): Piece[] {
  if (/^\s*#/.test(line)) return [{ kind: "comment", text: line }];
  const key = keyLine.exec(line);
  const pieces: Piece[] =
    key === null
      ? []
      : [
          { kind: "mark", text: key[1]! },
          { kind: "key", text: key[2]! },
          { kind: "mark", text: key[3]! },
          ...valuePieces(key[4]!),
        ];
  if (key === null) {
    const item = itemLine.exec(line);
    if (item === null) pieces.push(...valuePieces(line));
    else pieces.push({ kind: "mark", text: item[1]! }, ...valuePieces(item[2]!));
  }
  return pieces.filter(({ text }) => text !== "");
}

function valuePieces(text: string): Piece[] {
  const trimmed = text.trim();
  if (/^(["']).*\1$/.test(trimmed)) return [{ kind: "string", text }];
  if (/^(-?\d+(\.\d+)?(ms|[smhdwy]|[KMG]i?B)?([\d]+[smhdwy])*|true|false|null)$/.test(trimmed))
    return [{ kind: "number", text }];
  return [{ kind: "plain", text }];
}
