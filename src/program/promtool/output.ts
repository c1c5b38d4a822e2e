import type { Output } from "../../tsdb/index.ts";

const bufferedCharactersMax = 65_536;

/** Runs a tool whose many small prints reach standard output in large pieces, also when it fails. */
export async function withOutput(run: (output: Output) => number | Promise<number>): Promise<number> {
  let buffered = "";
  const flush = (): void => {
    process.stdout.write(buffered);
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
