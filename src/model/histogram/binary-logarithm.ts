/**
 * Go's `math.Log2`: exact for powers of two, and elsewhere the same double that Prometheus interpolates with (`Math.log2` may
 * differ in the last bit).
 */
export function log2(value: number): number {
  if (!(value > 0) || value === Infinity) return Math.log2(value);
  const { fraction, exponent } = split(value);
  if (fraction === 0.5) return exponent - 1;
  return naturalLog(fraction) * (1 / Math.LN2) + exponent;
}

/** Go's `math.Exp2`. */
export function exp2(value: number): number {
  if (Number.isNaN(value) || value > 1023.9999999999999 || value < -1074) return 2 ** value;
  const whole = Math.trunc(value > 0 ? value + 0.5 : value - 0.5);
  const rest = value - whole;
  return exponential(rest * ln2High, -rest * ln2Low, whole);
}

const ln2High = 6.9314718036912381649e-1;
const ln2Low = 1.90821492927058770002e-10;

const view = new DataView(new ArrayBuffer(8));

/** `value = fraction · 2^exponent` with a fraction in [0.5, 1), for finite positive values. */
function split(value: number): { fraction: number; exponent: number } {
  if (value < 2.2250738585072014e-308) {
    const { fraction, exponent } = split(value * 2 ** 52);
    return { fraction, exponent: exponent - 52 };
  }
  view.setFloat64(0, value);
  const high = view.getUint32(0);
  view.setUint32(0, (high & 0x800fffff) | 0x3fe00000);
  return { fraction: view.getFloat64(0), exponent: ((high >>> 20) & 0x7ff) - 1022 };
}

/** fdlibm's logarithm in Go's arrangement, for fractions in [0.5, 1): near √½ and above f is small, below it is halved. */
function naturalLog(fraction: number): number {
  const halved = fraction < Math.SQRT2 / 2;
  const f = (halved ? fraction * 2 : fraction) - 1;
  const k = halved ? -1 : 0;
  const s = f / (2 + f);
  const s2 = s * s;
  const s4 = s2 * s2;
  const odd =
    s2 *
    (6.66666666666673513e-1 +
      s4 * (2.857142874366239149e-1 + s4 * (1.818357216161805012e-1 + s4 * 1.479819860511658591e-1)));
  const even = s4 * (3.999999999940941908e-1 + s4 * (2.222219843214978396e-1 + s4 * 1.531383769920937332e-1));
  const half = 0.5 * f * f;
  return k * ln2High - (half - (s * (half + (odd + even)) + k * ln2Low) - f);
}

/** fdlibm's exponential of `high − low`, times 2^exponent. */
function exponential(high: number, low: number, exponent: number): number {
  const rest = high - low;
  const t = rest * rest;
  const c =
    rest -
    t *
      (1.66666666666666657415e-1 +
        t *
          (-2.77777777770155933842e-3 +
            t *
              (6.61375632143793436117e-5 + t * (-1.6533902205465251539e-6 + t * 4.13813679705723846039e-8))));
  const y = 1 - (low - (rest * c) / (2 - c) - high);
  return exponent > 1023
    ? y * 2 ** 1023 * 2
    : exponent < -1022
      ? y * 2 ** -1022 * 2 ** (exponent + 1022)
      : y * 2 ** exponent;
}
