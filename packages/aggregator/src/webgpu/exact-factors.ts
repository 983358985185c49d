/**
 * Factors as the kernel for exact sums takes them: for each, a whole number of at most 29 bits with the sign as its highest
 * bit, and the power of two that it is multiplied by.
 *
 * @throws RangeError for a factor of more than 29 significant bits
 */
export function exactFactors(factors: readonly number[]): Int32Array {
  const words = new Int32Array(2 * factors.length);
  for (const [at, factor] of factors.entries()) {
    let digits = Math.abs(factor);
    let exponent = 0;
    if (!Number.isFinite(factor)) throw new RangeError(`factor ${at} is ${factor}`);
    while (digits >= 2 ** 29) {
      digits /= 2;
      exponent += 1;
    }
    while (!Number.isInteger(digits)) {
      digits *= 2;
      exponent -= 1;
    }
    if (!(digits < 2 ** 29)) throw new RangeError(`factor ${at} has more than 29 significant bits`);
    words[2 * at] = factor < 0 ? digits | (1 << 31) : digits;
    words[2 * at + 1] = exponent;
  }
  return words;
}
