/** Fractional bits where every term is zero. */
const defaultBits: i32 = 40;
/** A term has at most so many bits above the grid. */
const termBits: i32 = 51;
/** The finest grid. */
const mostBits: i32 = 900;

/**
 * The grid for sums of n updates, as `gridFor` of `src/exact/exact-scale.ts` gives it: stores the magic number 1.5 * 2^(52 - gridBits)
 * and 2^gridBits as two float64. It follows from the largest of the terms alone, not from their order.
 *
 * @param results - where the updates' largest magnitudes stand as float64, `stride` bytes apart: below 2^900 times their weights
 * @param weights - the updates' weights, as float64
 */
export function gridOf(results: usize, stride: usize, n: i32, weights: usize, grid: usize): void {
  let largest: f64 = 0;
  for (let i = 0; i < n; i++) {
    const term = load<f64>(results + (i as usize) * stride) * abs(load<f64>(weights + (i << 3)));
    if (term > largest) largest = term;
  }
  let bits = defaultBits;
  if (largest > 0) {
    // The exponent field is e + 1022 where e is the smallest with largest < 2^e; subnormals are beyond the finest grid anyway.
    const exponentAbove = ((reinterpret<u64>(largest) >>> 52) as i32) - 1022;
    bits = min(mostBits, max(-mostBits, termBits - exponentAbove));
  }
  store<f64>(grid, 1.5 * powerOfTwo(52 - bits));
  store<f64>(grid, powerOfTwo(bits), 8);
}

/** 2^exponent of a normal float64. */
@inline
function powerOfTwo(exponent: i32): f64 {
  return reinterpret<f64>(((exponent + 1023) as i64) << 52);
}
