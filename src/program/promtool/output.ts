import type { Output } from "../../tsdb/index.ts";

const bufferedCharactersMax = 65_536;

/** Runs a tool whose many small prints reach `out` in large pieces, also when it fails. */
export async function withOutput(
  out: Output,
  run: (output: Output) => number | Promise<number>,
): Promise<number> {
  let buffered = "";
  const flush = (): void => {
    if (buffered !== "") out(buffered);
    buffered = "";
  };
  try {
    return await run((text) => {
      buffered += text;
      if (buffered.length >= bufferedCharactersMax) flush();
    });
  } finally {
    flush();
  }
}
