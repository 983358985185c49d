import { held64, magnitudes64 } from "./constants";
import { bothBelow, demoted } from "./store";

/**
 * Turns exact sums into means in place, as float64: (sums - n * bits(magic)) / (total * 2^gridBits). A power of two changes no bit
 * of a quotient here, so the grid is taken off together with the weight.
 *
 * @param n - how many terms each sum is made of
 * @param grid - where `gridOf` has stored the magic number and 2^gridBits
 * @param total - the sum of the weights
 */
export function meansOfGrid(n: i32, sums: usize, count: usize, grid: usize, total: f64): void {
  const bias = biasOf(n, grid);
  const divisor = total * load<f64>(grid, 8);
  let i: usize = 0;
  if (ASC_FEATURE_SIMD) {
    const biases = i64x2.splat(bias), divisors = f64x2.splat(divisor);
    const lower = held64(0xffffffff), lowExponent = held64(0x4330000000000000);
    const highExponent = held64(0x4530000080000000), offset = held64(0x4530000080100000);
    const whole = count & ~1;
    for (; i < whole; i += 2) {
      const at = sums + (i << 3);
      v128.store(at, f64x2.div(doublesOf(i64x2.sub(v128.load(at), biases), lower, lowExponent, highExponent, offset), divisors));
    }
  }
  for (; i < count; i++) {
    const at = sums + (i << 3);
    store<f64>(at, ((load<i64>(at) - bias) as f64) / divisor);
  }
}

/** What `meansOfGrid` and `storeF32` do, in one pass; the sums stay as they are. */
export function finishGridF32(n: i32, sums: usize, count: usize, grid: usize, total: f64, out: usize, limit: f64, result: usize): void {
  const bias = biasOf(n, grid);
  const divisor = total * load<f64>(grid, 8);
  let isBeyond = false;
  let i: usize = 0;
  if (ASC_FEATURE_SIMD) {
    const biases = i64x2.splat(bias), divisors = f64x2.splat(divisor);
    const lower = held64(0xffffffff), lowExponent = held64(0x4330000000000000);
    const highExponent = held64(0x4530000080000000), offset = held64(0x4530000080100000);
    const limits = f64x2.splat(limit), magnitudes = magnitudes64();
    let within = f64x2.eq(limits, limits);
    const whole = count & ~3;
    for (; i < whole; i += 4) {
      const at = sums + (i << 3);
      const low = f64x2.div(doublesOf(i64x2.sub(v128.load(at), biases), lower, lowExponent, highExponent, offset), divisors);
      const high = f64x2.div(doublesOf(i64x2.sub(v128.load(at, 16), biases), lower, lowExponent, highExponent, offset), divisors);
      within = v128.and(within, bothBelow(v128.and(low, magnitudes), v128.and(high, magnitudes), limits));
      v128.store(out + (i << 2), demoted(low, high));
    }
    isBeyond = !i64x2.all_true(within);
  }
  for (; i < count; i++) {
    const mean = ((load<i64>(sums + (i << 3)) - bias) as f64) / divisor;
    if (!(abs(mean) < limit)) isBeyond = true;
    store<f32>(out + (i << 2), mean as f32);
  }
  if (isBeyond) store<i32>(result, 1);
}

/** What `n` terms have added to a sum beside their steps. */
@inline
export function biasOf(n: i32, grid: usize): i64 {
  return (n as i64) * load<i64>(grid);
}

/**
 * A 64-bit integer as float64, rounded once to nearest, ties to even. WebAssembly has no such instruction for vectors: the two
 * halves become exact float64 by setting exponents, and their sum rounds once.
 */
@inline
function doublesOf(sums: v128, lower: v128, lowExponent: v128, highExponent: v128, offset: v128): v128 {
  const low = v128.or(v128.and(sums, lower), lowExponent);
  const high = v128.xor(i64x2.shr_u(sums, 32), highExponent);
  return f64x2.add(f64x2.sub(high, offset), low);
}
