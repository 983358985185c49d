import { loadTwo, stride } from "./load";
import { quarterOf } from "./quarters";

/**
 * Sums of 8 bytes for each element: sums = [sums +] Σ terms, over any number of updates with finite elements. Float64 sums add
 * w * x in the order of the list. Exact ones are int64 and add bits(w * x + magic) modulo 2^64: the magic number 1.5 * 2^52 grid
 * steps makes the float64 addition round to whole steps, and the bits of neighbouring float64 are neighbouring integers. What is
 * stored is so many times bits(magic) too high; `finish-exact.ts` takes that away.
 *
 * @param isExact - a constant wherever this is called
 * @param isFirst - begins with the first term instead of with what the sums hold; sums of nothing are then zero
 * @param inputs - addresses of the updates' elements, as u32
 * @param from - bytes behind those addresses where the elements begin
 * @param weights - their weights, as float64
 */
@inline
export function sumWide<T>(
  isExact: bool, n: i32, isFirst: bool, sums: usize, count: usize, inputs: usize, from: usize, weights: usize, magic: f64,
): void {
  if (n <= 0) {
    if (isFirst) memory.fill(sums, 0, count << 3);
    return;
  }
  while (n > 0) {
    const size = n >= 8 ? 8 : n >= 4 ? 4 : n >= 2 ? 2 : 1;
    if (isFirst) {
      if (size == 8) addGroup<T>(isExact, 8, true, sums, count, inputs, from, weights, magic);
      else if (size == 4) addGroup<T>(isExact, 4, true, sums, count, inputs, from, weights, magic);
      else if (size == 2) addGroup<T>(isExact, 2, true, sums, count, inputs, from, weights, magic);
      else addGroup<T>(isExact, 1, true, sums, count, inputs, from, weights, magic);
    } else {
      if (size == 8) addGroup<T>(isExact, 8, false, sums, count, inputs, from, weights, magic);
      else if (size == 4) addGroup<T>(isExact, 4, false, sums, count, inputs, from, weights, magic);
      else if (size == 2) addGroup<T>(isExact, 2, false, sums, count, inputs, from, weights, magic);
      else addGroup<T>(isExact, 1, false, sums, count, inputs, from, weights, magic);
    }
    isFirst = false;
    n -= size;
    inputs += size << 2;
    weights += size << 3;
  }
}

/** `sumWide` of exact sums of float32. A function of its own: where it is part of a loop, weights do not stay in registers. */
export function sumExactFrom(
  n: i32, isFirst: bool, sums: usize, count: usize, inputs: usize, from: usize, weights: usize, magic: f64,
): void {
  sumWide<f32>(true, n, isFirst, sums, count, inputs, from, weights, magic);
}

/** Adds so many updates in one pass; the number and `isFirst` are constants wherever this is called. */
@inline
function addGroup<T>(
  isExact: bool, size: i32, isFirst: bool, sums: usize, count: usize, inputs: usize, from: usize, weights: usize, magic: f64,
): void {
  const x0 = (load<u32>(inputs) as usize) + from, w0 = load<f64>(weights);
  const x1 = size > 1 ? (load<u32>(inputs, 4) as usize) + from : 0, w1 = size > 1 ? load<f64>(weights, 8) : 0;
  const x2 = size > 2 ? (load<u32>(inputs, 8) as usize) + from : 0, w2 = size > 2 ? load<f64>(weights, 16) : 0;
  const x3 = size > 3 ? (load<u32>(inputs, 12) as usize) + from : 0, w3 = size > 3 ? load<f64>(weights, 24) : 0;
  const x4 = size > 4 ? (load<u32>(inputs, 16) as usize) + from : 0, w4 = size > 4 ? load<f64>(weights, 32) : 0;
  const x5 = size > 5 ? (load<u32>(inputs, 20) as usize) + from : 0, w5 = size > 5 ? load<f64>(weights, 40) : 0;
  const x6 = size > 6 ? (load<u32>(inputs, 24) as usize) + from : 0, w6 = size > 6 ? load<f64>(weights, 48) : 0;
  const x7 = size > 7 ? (load<u32>(inputs, 28) as usize) + from : 0, w7 = size > 7 ? load<f64>(weights, 56) : 0;
  let i: usize = 0;
  if (ASC_FEATURE_SIMD) {
    const v0 = f64x2.splat(w0), v1 = f64x2.splat(w1), v2 = f64x2.splat(w2), v3 = f64x2.splat(w3);
    const v4 = f64x2.splat(w4), v5 = f64x2.splat(w5), v6 = f64x2.splat(w6), v7 = f64x2.splat(w7);
    const m = f64x2.splat(magic);
    // One update alone, as it streams in, meets sums that are cold: four places at a time, since they would wait for each other.
    if (size == 1) {
      const quarter = quarterOf(count);
      const step = quarter * stride<T>(), sumStep = quarter << 3;
      for (; i < quarter; i += 4) {
        const at0 = x0 + i * stride<T>(), at1 = at0 + step, at2 = at1 + step, at3 = at2 + step;
        const to0 = sums + (i << 3), to1 = to0 + sumStep, to2 = to1 + sumStep, to3 = to2 + sumStep;
        addFour<T>(isExact, isFirst, to0, at0, v0, m);
        addFour<T>(isExact, isFirst, to1, at1, v0, m);
        addFour<T>(isExact, isFirst, to2, at2, v0, m);
        addFour<T>(isExact, isFirst, to3, at3, v0, m);
      }
      i = quarter << 2;
    }
    const whole = count & ~3;
    for (; i < whole; i += 4) {
      const at = i * stride<T>(), next = at + 2 * stride<T>(), to = sums + (i << 3);
      let low = termOf<T>(isExact, loadTwo<T>(x0 + at), v0, m), high = termOf<T>(isExact, loadTwo<T>(x0 + next), v0, m);
      if (!isFirst) {
        low = plus(isExact, v128.load(to), low);
        high = plus(isExact, v128.load(to, 16), high);
      }
      if (size > 1) {
          low = plus(isExact, low, termOf<T>(isExact, loadTwo<T>(x1 + at), v1, m));
        high = plus(isExact, high, termOf<T>(isExact, loadTwo<T>(x1 + next), v1, m));
      }
      if (size > 2) {
          low = plus(isExact, low, termOf<T>(isExact, loadTwo<T>(x2 + at), v2, m));
        high = plus(isExact, high, termOf<T>(isExact, loadTwo<T>(x2 + next), v2, m));
      }
      if (size > 3) {
          low = plus(isExact, low, termOf<T>(isExact, loadTwo<T>(x3 + at), v3, m));
        high = plus(isExact, high, termOf<T>(isExact, loadTwo<T>(x3 + next), v3, m));
      }
      if (size > 4) {
          low = plus(isExact, low, termOf<T>(isExact, loadTwo<T>(x4 + at), v4, m));
        high = plus(isExact, high, termOf<T>(isExact, loadTwo<T>(x4 + next), v4, m));
      }
      if (size > 5) {
          low = plus(isExact, low, termOf<T>(isExact, loadTwo<T>(x5 + at), v5, m));
        high = plus(isExact, high, termOf<T>(isExact, loadTwo<T>(x5 + next), v5, m));
      }
      if (size > 6) {
          low = plus(isExact, low, termOf<T>(isExact, loadTwo<T>(x6 + at), v6, m));
        high = plus(isExact, high, termOf<T>(isExact, loadTwo<T>(x6 + next), v6, m));
      }
      if (size > 7) {
          low = plus(isExact, low, termOf<T>(isExact, loadTwo<T>(x7 + at), v7, m));
        high = plus(isExact, high, termOf<T>(isExact, loadTwo<T>(x7 + next), v7, m));
      }
      v128.store(to, low);
      v128.store(to, high, 16);
    }
  }
  for (; i < count; i++) {
    const at = i * stride<T>(), to = sums + (i << 3);
    let sum = termOfOne<T>(isExact, x0 + at, w0, magic);
    if (!isFirst) sum = plusOne(isExact, load<i64>(to), sum);
    if (size > 1) sum = plusOne(isExact, sum, termOfOne<T>(isExact, x1 + at, w1, magic));
    if (size > 2) sum = plusOne(isExact, sum, termOfOne<T>(isExact, x2 + at, w2, magic));
    if (size > 3) sum = plusOne(isExact, sum, termOfOne<T>(isExact, x3 + at, w3, magic));
    if (size > 4) sum = plusOne(isExact, sum, termOfOne<T>(isExact, x4 + at, w4, magic));
    if (size > 5) sum = plusOne(isExact, sum, termOfOne<T>(isExact, x5 + at, w5, magic));
    if (size > 6) sum = plusOne(isExact, sum, termOfOne<T>(isExact, x6 + at, w6, magic));
    if (size > 7) sum = plusOne(isExact, sum, termOfOne<T>(isExact, x7 + at, w7, magic));
    store<i64>(to, sum);
  }
}

/** Adds four elements of one update. */
@inline
function addFour<T>(isExact: bool, isFirst: bool, to: usize, at: usize, weights: v128, magic: v128): void {
  const low = termOf<T>(isExact, loadTwo<T>(at), weights, magic), high = termOf<T>(isExact, loadTwo<T>(at + 2 * stride<T>()), weights, magic);
  v128.store(to, isFirst ? low : plus(isExact, v128.load(to), low));
  v128.store(to, isFirst ? high : plus(isExact, v128.load(to, 16), high), 16);
}

@inline
export function termOf<T>(isExact: bool, values: v128, weights: v128, magic: v128): v128 {
  // Of float32 and less the product is exact, so it does not matter whether it is rounded before the addition: one instruction.
  if (isExact && sizeof<T>() < 8) return f64x2.relaxed_madd(values, weights, magic);
  const product = f64x2.mul(values, weights);
  return isExact ? f64x2.add(product, magic) : product;
}

@inline
export function plus(isExact: bool, sums: v128, terms: v128): v128 {
  return isExact ? i64x2.add(sums, terms) : f64x2.add(sums, terms);
}

/** The bits of a term. */
@inline
export function termOfOne<T>(isExact: bool, at: usize, weight: f64, magic: f64): i64 {
  const product = (load<T>(at) as f64) * weight;
  return reinterpret<i64>(isExact ? product + magic : product);
}

@inline
export function plusOne(isExact: bool, sum: i64, term: i64): i64 {
  return isExact ? sum + term : reinterpret<i64>(reinterpret<f64>(sum) + reinterpret<f64>(term));
}
