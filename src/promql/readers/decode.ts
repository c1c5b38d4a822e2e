import { NarthexError } from "../../base/index.ts";
import { Labels, parseNumber } from "../../model/index.ts";
import type { VectorSample } from "../result.ts";

type Point = [seconds: number, value: string];

interface Envelope {
  data:
    | { resultType: "vector"; result: { metric: Record<string, string>; value: Point }[] }
    | { resultType: "scalar"; result: Point }
    | { resultType: "matrix" | "string"; result: unknown };
}

/** The vector in a reader's answer, a scalar as one sample without labels. Throws `execution` for anything else. */
export function decodeVector(body: Uint8Array): VectorSample[] {
  const { data } = JSON.parse(new TextDecoder().decode(body)) as Envelope;
  if (data.resultType === "vector")
    return data.result.map(({ metric, value }) => decodeSample(Labels.from(metric), value));
  if (data.resultType === "scalar") return [decodeSample(Labels.empty, data.result)];
  throw notAVector();
}

export function notAVector(): NarthexError {
  return new NarthexError("execution", "rule result is not a vector or scalar");
}

function decodeSample(labels: Labels, [seconds, value]: Point): VectorSample {
  return { labels, timestampMs: Math.round(seconds * 1000), value: parseNumber(value)! };
}
