/**
 * Beyond this, sinh and cosh are half an exponential to all digits. Go computes them so, and overflows where the exponential does, which
 * is a little before the half would.
 */
const halfOnly = 21;

/** Functions of one number. */
export const mathFunctions: Readonly<Record<string, (value: number) => number>> = {
  abs: Math.abs,
  acos: Math.acos,
  acosh: Math.acosh,
  asin: Math.asin,
  asinh: Math.asinh,
  atan: Math.atan,
  atanh: Math.atanh,
  ceil: Math.ceil,
  cos: Math.cos,
  cosh: (value) => (Math.abs(value) > halfOnly ? Math.exp(Math.abs(value)) * 0.5 : Math.cosh(value)),
  deg: (value) => (value * 180) / Math.PI,
  exp: Math.exp,
  floor: Math.floor,
  ln: Math.log,
  log10: Math.log10,
  log2: Math.log2,
  rad: (value) => (value * Math.PI) / 180,
  sgn: Math.sign,
  sin: Math.sin,
  sinh: (value) =>
    Math.abs(value) > halfOnly ? Math.sign(value) * Math.exp(Math.abs(value)) * 0.5 : Math.sinh(value),
  sqrt: Math.sqrt,
  tan: Math.tan,
  tanh: Math.tanh,
};
