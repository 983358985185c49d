import { magnitudes32 } from "./constants";
import { loadOne, loadTwo } from "./load";
import { bothBelow, demoted } from "./store";

/**
 * A 64-bit integer as float64, rounded once to nearest, ties to even. WebAssembly has no such instruction for vectors: the two
 * halves become exact float64 by setting exponents, and their sum rounds once.
 */
@inline
function doublesOf(sums: v128): v128 {
  const low = v128.or(v128.and(sums, i64x2.splat(0xffffffff)), i64x2.splat(0x4330000000000000));
  const high = v128.xor(i64x2.shr_u(sums, 32), i64x2.splat(0x4530000080000000));
  return f64x2.add(f64x2.sub(high, f64x2.splat(reinterpret<f64>(0x4530000080100000))), low);
}

/** What `meansOfExact` and `storeF32` do, in one pass for the commonest case. */
export function finishExactF32(sums: usize, count: usize, terms: f64, magic: f64, divisor: f64, out: usize, limit: f64, result: usize): void {
  const bias = (terms as i64) * reinterpret<i64>(magic);
  let isBeyond = false;
  let i: usize = 0;
  if (ASC_FEATURE_SIMD) {
    const biases = i64x2.splat(bias), divisors = f64x2.splat(divisor);
    const limits = f64x2.splat(limit);
    let within = f64x2.eq(limits, limits);
    const whole = count & ~3;
    for (; i < whole; i += 4) {
      const at = sums + (i << 3);
      const low = f64x2.div(doublesOf(i64x2.sub(v128.load(at), biases)), divisors);
      const high = f64x2.div(doublesOf(i64x2.sub(v128.load(at, 16), biases)), divisors);
      within = v128.and(within, bothBelow(f64x2.abs(low), f64x2.abs(high), limits));
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

/**
 * Turns exact sums into means in place, as float64: (sums - bias) / divisor.
 *
 * @param bias - what folding added to each sum: the number of updates times bits(magic), modulo 2^64
 */
export function meansOfExact(sums: usize, count: usize, terms: f64, magic: f64, divisor: f64): void {
  const bias = (terms as i64) * reinterpret<i64>(magic);
  let i: usize = 0;
  if (ASC_FEATURE_SIMD) {
    const biases = i64x2.splat(bias), divisors = f64x2.splat(divisor);
    const whole = count & ~1;
    for (; i < whole; i += 2) {
      const at = sums + (i << 3);
      v128.store(at, f64x2.div(doublesOf(i64x2.sub(v128.load(at), biases)), divisors));
    }
  }
  for (; i < count; i++) {
    const at = sums + (i << 3);
    store<f64>(at, ((load<i64>(at) - bias) as f64) / divisor);
  }
}

/** Divides float64 sums in place. */
export function meansOfDouble(sums: usize, count: usize, divisor: f64): void {
  let i: usize = 0;
  if (ASC_FEATURE_SIMD) {
    const divisors = f64x2.splat(divisor);
    const whole = count & ~1;
    for (; i < whole; i += 2) v128.store(sums + (i << 3), f64x2.div(v128.load(sums + (i << 3)), divisors));
  }
  for (; i < count; i++) store<f64>(sums + (i << 3), load<f64>(sums + (i << 3)) / divisor);
}

/** Float32 sums as float64, into another place. */
export function widen(sums: usize, count: usize, into: usize): void {
  let i: usize = 0;
  if (ASC_FEATURE_SIMD) {
    const whole = count & ~1;
    for (; i < whole; i += 2) v128.store(into + (i << 3), loadTwo<f32>(sums + (i << 2)));
  }
  for (; i < count; i++) store<f64>(into + (i << 3), load<f32>(sums + (i << 2)) as f64);
}

/** means (float64) += base. */
@inline
export function addBase<T>(means: usize, count: usize, base: usize): void {
  for (let i: usize = 0; i < count; i++) {
    const at = means + (i << 3);
    store<f64>(at, load<f64>(at) + (loadOne<T>(base + i * sizeof<T>()) as f64));
  }
}

export function addBaseF64(means: usize, count: usize, base: usize): void {
  for (let i: usize = 0; i < count; i++) {
    const at = means + (i << 3);
    store<f64>(at, load<f64>(at) + load<f64>(base + (i << 3)));
  }
}

/** Writes 1 to `result` when one of `count` float32 is not finite, else nothing. */
export function checkSingle(values: usize, count: usize, result: usize): void {
  let isBeyond = false;
  let i: usize = 0;
  if (ASC_FEATURE_SIMD) {
    const limits = f32x4.splat(f32.MAX_VALUE), magnitudes = magnitudes32();
    let within = f32x4.eq(limits, limits);
    const whole = count & ~3;
    for (; i < whole; i += 4) within = v128.and(within, f32x4.le(v128.and(v128.load(values + (i << 2)), magnitudes), limits));
    isBeyond = !i32x4.all_true(within);
  }
  for (; i < count; i++) if (!(abs(load<f32>(values + (i << 2))) <= f32.MAX_VALUE)) isBeyond = true;
  if (isBeyond) store<i32>(result, 1);
}
