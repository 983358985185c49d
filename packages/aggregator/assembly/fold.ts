import { loadFour, loadOne, loadTwo, stride, upperTwo } from "./load";

// Each function adds n updates to sums in one pass: fewer passes over the sums is what makes it fast. `isFirst` begins at zero
// instead of at what the sums hold. Both are constants wherever these are called, so that each case becomes a loop of its own.

/** sums (float32) += w * x, in the order of the updates. */
@inline
export function foldSingle<T>(n: i32, isFirst: bool, sums: usize, count: usize, x0: usize, x1: usize, x2: usize, x3: usize, w0: f64, w1: f64, w2: f64, w3: f64): void {
  const f0 = w0 as f32, f1 = w1 as f32, f2 = w2 as f32, f3 = w3 as f32;
  let i: usize = 0;
  if (ASC_FEATURE_SIMD) {
    const v0 = f32x4.splat(f0), v1 = f32x4.splat(f1), v2 = f32x4.splat(f2), v3 = f32x4.splat(f3);
    const whole = count & ~3;
    for (; i < whole; i += 4) {
      const at = i * stride<T>();
      let sum = isFirst ? f32x4.mul(loadFour<T>(x0 + at), v0) : f32x4.add(v128.load(sums + (i << 2)), f32x4.mul(loadFour<T>(x0 + at), v0));
      if (n > 1) sum = f32x4.add(sum, f32x4.mul(loadFour<T>(x1 + at), v1));
      if (n > 2) sum = f32x4.add(sum, f32x4.mul(loadFour<T>(x2 + at), v2));
      if (n > 3) sum = f32x4.add(sum, f32x4.mul(loadFour<T>(x3 + at), v3));
      v128.store(sums + (i << 2), sum);
    }
  }
  for (; i < count; i++) {
    const at = i * stride<T>();
    let sum: f32 = isFirst ? loadOne<T>(x0 + at) * f0 : load<f32>(sums + (i << 2)) + loadOne<T>(x0 + at) * f0;
    if (n > 1) sum += loadOne<T>(x1 + at) * f1;
    if (n > 2) sum += loadOne<T>(x2 + at) * f2;
    if (n > 3) sum += loadOne<T>(x3 + at) * f3;
    store<f32>(sums + (i << 2), sum);
  }
}

/** sums (float64) += w * x, in the order of the updates. */
@inline
export function foldDouble<T>(n: i32, isFirst: bool, sums: usize, count: usize, x0: usize, x1: usize, x2: usize, x3: usize, w0: f64, w1: f64, w2: f64, w3: f64): void {
  let i: usize = 0;
  if (ASC_FEATURE_SIMD) {
    const v0 = f64x2.splat(w0), v1 = f64x2.splat(w1), v2 = f64x2.splat(w2), v3 = f64x2.splat(w3);
    const whole = count & ~1;
    for (; i < whole; i += 2) {
      const at = i * stride<T>();
      const to = sums + (i << 3);
      let sum = f64x2.mul(twoOf<T>(x0 + at), v0);
      if (!isFirst) sum = f64x2.add(v128.load(to), sum);
      if (n > 1) sum = f64x2.add(sum, f64x2.mul(twoOf<T>(x1 + at), v1));
      if (n > 2) sum = f64x2.add(sum, f64x2.mul(twoOf<T>(x2 + at), v2));
      if (n > 3) sum = f64x2.add(sum, f64x2.mul(twoOf<T>(x3 + at), v3));
      v128.store(to, sum);
    }
  }
  for (; i < count; i++) {
    const at = i * stride<T>();
    const to = sums + (i << 3);
    let sum = isFirst ? doubleOf<T>(x0 + at) * w0 : load<f64>(to) + doubleOf<T>(x0 + at) * w0;
    if (n > 1) sum += doubleOf<T>(x1 + at) * w1;
    if (n > 2) sum += doubleOf<T>(x2 + at) * w2;
    if (n > 3) sum += doubleOf<T>(x3 + at) * w3;
    store<f64>(to, sum);
  }
}

/**
 * sums (int64) += bits(w * x + magic), modulo 2^64. The magic number 1.5 * 2^52 grid steps makes the float64 addition round to
 * whole steps, and the bits of neighbouring float64 are neighbouring integers. What is stored is so many times bits(magic)
 * too high; `finish.ts` takes that away.
 */
@inline
export function foldExact<T>(n: i32, isFirst: bool, sums: usize, count: usize, x0: usize, x1: usize, x2: usize, x3: usize, w0: f64, w1: f64, w2: f64, w3: f64, magic: f64): void {
  let i: usize = 0;
  if (ASC_FEATURE_SIMD) {
    const v0 = f64x2.splat(w0), v1 = f64x2.splat(w1), v2 = f64x2.splat(w2), v3 = f64x2.splat(w3);
    const m = f64x2.splat(magic);
    const whole = count & ~3;
    for (; i < whole; i += 4) {
      const at = i * stride<T>();
      const to = sums + (i << 3);
      let low = f64x2.add(f64x2.mul(lowOf<T>(x0 + at), v0), m);
      let high = f64x2.add(f64x2.mul(highOf<T>(x0 + at), v0), m);
      if (!isFirst) {
        low = i64x2.add(v128.load(to), low);
        high = i64x2.add(v128.load(to, 16), high);
      }
      if (n > 1) {
        low = i64x2.add(low, f64x2.add(f64x2.mul(lowOf<T>(x1 + at), v1), m));
        high = i64x2.add(high, f64x2.add(f64x2.mul(highOf<T>(x1 + at), v1), m));
      }
      if (n > 2) {
        low = i64x2.add(low, f64x2.add(f64x2.mul(lowOf<T>(x2 + at), v2), m));
        high = i64x2.add(high, f64x2.add(f64x2.mul(highOf<T>(x2 + at), v2), m));
      }
      if (n > 3) {
        low = i64x2.add(low, f64x2.add(f64x2.mul(lowOf<T>(x3 + at), v3), m));
        high = i64x2.add(high, f64x2.add(f64x2.mul(highOf<T>(x3 + at), v3), m));
      }
      v128.store(to, low);
      v128.store(to, high, 16);
    }
  }
  for (; i < count; i++) {
    const at = i * stride<T>();
    const to = sums + (i << 3);
    let sum = reinterpret<i64>(doubleOf<T>(x0 + at) * w0 + magic);
    if (!isFirst) sum += load<i64>(to);
    if (n > 1) sum += reinterpret<i64>(doubleOf<T>(x1 + at) * w1 + magic);
    if (n > 2) sum += reinterpret<i64>(doubleOf<T>(x2 + at) * w2 + magic);
    if (n > 3) sum += reinterpret<i64>(doubleOf<T>(x3 + at) * w3 + magic);
    store<i64>(to, sum);
  }
}

@inline
function doubleOf<T>(at: usize): f64 {
  if (isFloat<T>() && sizeof<T>() == 8) return load<f64>(at);
  return loadOne<T>(at) as f64;
}

/** Two elements that end with the array: the 16-bit types must not read four. */
@inline
function twoOf<T>(at: usize): v128 {
  if (sizeof<T>() > 2) return loadTwo<T>(at);
  return f64x2(loadOne<T>(at) as f64, loadOne<T>(at + 2) as f64);
}

@inline
function lowOf<T>(at: usize): v128 {
  return loadTwo<T>(at);
}

@inline
function highOf<T>(at: usize): v128 {
  if (isFloat<T>()) return loadTwo<T>(at + 2 * stride<T>());
  return upperTwo(loadFour<T>(at));
}
