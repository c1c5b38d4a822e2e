/** Samples of one series, oldest first; times in milliseconds. */
export interface SampleArrays {
  readonly timestamps: Float64Array;
  readonly values: Float64Array;
}
