import { magnitudes32 } from "./constants";
import { loadOne, loadTwo } from "./load";

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
