// Kahan–Neumaier summation as upstream does it: the caller computes `next = sum + increment`, then the new compensation.

// @ts-ignore: decorator
@inline
export function compensate(increment: f64, sum: f64, next: f64, compensation: f64): f64 {
  if (abs<f64>(next) == Infinity) return 0;
  return abs<f64>(sum) >= abs<f64>(increment)
    ? compensation + (sum - next + increment)
    : compensation + (increment - next + sum);
}
