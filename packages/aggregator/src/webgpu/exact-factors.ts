/**
 * Factors as the kernel for exact sums takes them: for each, a whole number of exactly 29 bits (0 for 0) with the sign as its
 * highest bit, and the power of two that it is multiplied by.
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
    while (digits < 2 ** 28 && digits > 0) {
      digits *= 2;
      exponent -= 1;
    }
    if (!Number.isInteger(digits)) throw new RangeError(`factor ${at} has more than 29 significant bits`);
    words[2 * at] = factor < 0 ? digits | (1 << 31) : digits;
    words[2 * at + 1] = exponent;
  }
  return words;
}
