const TWO_OVER_ROOT_PI = 2 / Math.sqrt(Math.PI);

/** Below this the series is exact to the last digits, above it the continued fraction converges fast. */
const SERIES_LIMIT = 2.5;

/** erf(x) = 2/sqrt(pi) exp(-x²) sum over n of 2^n x^(2n+1) / (1·3·5···(2n+1)) (Abramowitz and Stegun 7.1.6). */
function erfSeries(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(sum); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return TWO_OVER_ROOT_PI * Math.exp(-x * x) * sum;
}

/** erfc(x) for x > 0 = exp(-x²)/sqrt(pi) · 1/(x + (1/2)/(x + (2/2)/(x + (3/2)/(x + ...)))) (7.1.14). */
function erfcFraction(x: number): number {
  let tail = x;
  for (let n = 100; n > 0; n--) tail = x + n / 2 / tail;
  return Math.exp(-x * x) / Math.sqrt(Math.PI) / tail;
}

/** The error function, to the precision of a double. */
export function erf(x: number): number {
  if (Math.abs(x) < SERIES_LIMIT) return erfSeries(x);
  if (Number.isNaN(x)) return NaN;
  return x > 0 ? 1 - erfcFraction(x) : erfcFraction(-x) - 1;
}

/** 1 - erf(x), without cancellation where it is small. */
export function erfc(x: number): number {
  return x >= SERIES_LIMIT ? erfcFraction(x) : 1 - erf(x);
}

/** Rounds to the nearest whole number, halves to the even one. */
export function roundHalfToEven(x: number): number {
  const below = Math.floor(x);
  const fraction = x - below;
  if (fraction !== 0.5) return fraction < 0.5 ? below : Math.ceil(x);
  return below % 2 === 0 ? below : below + 1;
}

/** a^b as C's `pow`: 1 to any power is 1, and so is -1 to an infinite one (JavaScript has NaN there). */
export function pow(a: number, b: number): number {
  if (a === 1 || (a === -1 && Math.abs(b) === Infinity)) return 1;
  return a ** b;
}

/** Remainder of floored division: it has the sign of the divisor. */
export function flooredMod(a: number, b: number): number {
  const remainder = a % b;
  return remainder !== 0 && remainder < 0 !== b < 0 ? remainder + b : remainder;
}
