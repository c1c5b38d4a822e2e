import { NarthexError } from "../../base/index.ts";
import { Labels, parseNumber } from "../../model/index.ts";
import type { VectorSample } from "../result.ts";
import type { Answer } from "./messages.ts";

type Point = [seconds: number, value: string];

interface Element {
  metric: Record<string, string>;
  value?: Point;
  histogram?: [seconds: number, json: unknown];
}

interface Envelope {
  data:
    | { resultType: "vector"; result: Element[] }
    | { resultType: "scalar"; result: Point }
    | { resultType: "matrix" | "string"; result: unknown };
}

/** The vector in a reader's answer, a scalar as one sample without labels. Throws `execution` for anything else. */
export function decodeVector({ body, histograms = [] }: Answer): VectorSample[] {
  const { data } = JSON.parse(new TextDecoder().decode(body)) as Envelope;
  if (data.resultType === "scalar") return [{ labels: Labels.empty, ...decodePoint(data.result) }];
  if (data.resultType !== "vector") throw notAVector();
  let next = 0;
  return data.result.map(({ metric, value, histogram }): VectorSample => {
    const labels = Labels.from(metric);
    if (histogram === undefined) return { labels, ...decodePoint(value!) };
    return { labels, timestampMs: toMs(histogram[0]), value: NaN, histogram: histograms[next++]! };
  });
}

export function notAVector(): NarthexError {
  return new NarthexError("execution", "rule result is not a vector or scalar");
}

function decodePoint([seconds, value]: Point): { timestampMs: number; value: number } {
  return { timestampMs: toMs(seconds), value: parseNumber(value)! };
}

function toMs(seconds: number): number {
  return Math.round(seconds * 1000);
}
