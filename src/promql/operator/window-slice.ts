import type { SampleArrays } from "../function/sample-arrays.ts";

/** The part of ascending times that lies in a window (start, end] which moves on. */
export class WindowSlice {
  first = 0;
  end = 0;

  get isEmpty(): boolean {
    return this.first === this.end;
  }

  move(startMs: number, endMs: number, count: number, timeMs: (i: number) => number): void {
    while (this.end < count && timeMs(this.end) <= endMs) this.end++;
    while (this.first < this.end && timeMs(this.first) <= startMs) this.first++;
  }

  /** Those of the samples, without copying them. */
  of({ timestamps, values }: SampleArrays): SampleArrays {
    return {
      timestamps: timestamps.subarray(this.first, this.end),
      values: values.subarray(this.first, this.end),
    };
  }
}
