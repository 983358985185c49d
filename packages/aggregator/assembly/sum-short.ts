import { loadOne, upperTwo } from "./load";
import { firstFour, lastFour, shortBias, shortExponents, shortMask, shortSubnormals, shortUpper } from "./short";
import { plus, plusOne, termOf } from "./sum-wide";

/** What sums are made of; a constant wherever it is given. */
export const singleSums: i32 = 0;
export const doubleSums: i32 = 1;
export const exactSums: i32 = 2;

/** What `sumSingleF32` and `sumWide` do, for elements of 16 bits. */
@inline
export function sumShort<T>(kind: i32, n: i32, isFirst: bool, sums: usize, count: usize, inputs: usize, weights: usize, magic: f64): void {
  if (n <= 0) {
    if (isFirst) memory.fill(sums, 0, count << (kind == singleSums ? 2 : 3));
    return;
  }
  // Decoding takes the time here, so that more than four at a time would be no faster.
  while (n > 0) {
    const size = n >= 4 ? 4 : n >= 2 ? 2 : 1;
    if (isFirst) {
      if (size == 4) addGroup<T>(kind, 4, true, sums, count, inputs, weights, magic);
      else if (size == 2) addGroup<T>(kind, 2, true, sums, count, inputs, weights, magic);
      else addGroup<T>(kind, 1, true, sums, count, inputs, weights, magic);
    } else {
      if (size == 4) addGroup<T>(kind, 4, false, sums, count, inputs, weights, magic);
      else if (size == 2) addGroup<T>(kind, 2, false, sums, count, inputs, weights, magic);
      else addGroup<T>(kind, 1, false, sums, count, inputs, weights, magic);
    }
    isFirst = false;
    n -= size;
    inputs += size << 2;
    weights += size << 3;
  }
}

/** Adds so many updates in one pass; the number and `isFirst` are constants wherever this is called. */
@inline
function addGroup<T>(kind: i32, size: i32, isFirst: bool, sums: usize, count: usize, inputs: usize, weights: usize, magic: f64): void {
  const x0 = load<u32>(inputs) as usize, w0 = load<f64>(weights);
  const x1 = size > 1 ? (load<u32>(inputs, 4) as usize) : 0, w1 = size > 1 ? load<f64>(weights, 8) : 0;
  const x2 = size > 2 ? (load<u32>(inputs, 8) as usize) : 0, w2 = size > 2 ? load<f64>(weights, 16) : 0;
  const x3 = size > 3 ? (load<u32>(inputs, 12) as usize) : 0, w3 = size > 3 ? load<f64>(weights, 24) : 0;
  let i: usize = 0;
  if (ASC_FEATURE_SIMD) {
    const v0 = weightsOf(kind, w0), v1 = weightsOf(kind, w1), v2 = weightsOf(kind, w2), v3 = weightsOf(kind, w3);
    const m = f64x2.splat(magic);
    const mask = shortMask<T>(), bias = shortBias<T>(), exponents = shortExponents<T>();
    // Eight sums: four float32 in each of a and b, or two float64 or int64 in each of a to d.
    let a: v128, b: v128, c: v128, d: v128;
    const whole = count & ~7;
    for (; i < whole; i += 8) {
      const at = i << 1, to = sums + (i << (kind == singleSums ? 2 : 3));
      a = b = c = d = m;
      if (!isFirst) {
        a = v128.load(to);
        b = v128.load(to, 16);
        if (kind != singleSums) {
          c = v128.load(to, 32);
          d = v128.load(to, 48);
        }
      }
      const x08 = v128.load(x0 + at), small0 = shortSubnormals<T>(x08, exponents);
      const upper0 = shortUpper<T>(x08, small0, mask, bias);
      const first0 = firstFour<T>(x08, upper0, small0), last0 = lastFour<T>(x08, upper0, small0);
      if (kind == singleSums) {
        a = plusSingle(isFirst, a, f32x4.mul(first0, v0));
        b = plusSingle(isFirst, b, f32x4.mul(last0, v0));
      } else {
        a = plusWide(kind, isFirst, a, f64x2.promote_low_f32x4(first0), v0, m);
        b = plusWide(kind, isFirst, b, upperTwo(first0), v0, m);
        c = plusWide(kind, isFirst, c, f64x2.promote_low_f32x4(last0), v0, m);
        d = plusWide(kind, isFirst, d, upperTwo(last0), v0, m);
      }
      if (size > 1) {
        const x18 = v128.load(x1 + at), small1 = shortSubnormals<T>(x18, exponents);
        const upper1 = shortUpper<T>(x18, small1, mask, bias);
        const first1 = firstFour<T>(x18, upper1, small1), last1 = lastFour<T>(x18, upper1, small1);
        if (kind == singleSums) {
          a = plusSingle(false, a, f32x4.mul(first1, v1));
          b = plusSingle(false, b, f32x4.mul(last1, v1));
        } else {
          a = plusWide(kind, false, a, f64x2.promote_low_f32x4(first1), v1, m);
          b = plusWide(kind, false, b, upperTwo(first1), v1, m);
          c = plusWide(kind, false, c, f64x2.promote_low_f32x4(last1), v1, m);
          d = plusWide(kind, false, d, upperTwo(last1), v1, m);
        }
      }
      if (size > 2) {
        const x28 = v128.load(x2 + at), small2 = shortSubnormals<T>(x28, exponents);
        const upper2 = shortUpper<T>(x28, small2, mask, bias);
        const first2 = firstFour<T>(x28, upper2, small2), last2 = lastFour<T>(x28, upper2, small2);
        if (kind == singleSums) {
          a = plusSingle(false, a, f32x4.mul(first2, v2));
          b = plusSingle(false, b, f32x4.mul(last2, v2));
        } else {
          a = plusWide(kind, false, a, f64x2.promote_low_f32x4(first2), v2, m);
          b = plusWide(kind, false, b, upperTwo(first2), v2, m);
          c = plusWide(kind, false, c, f64x2.promote_low_f32x4(last2), v2, m);
          d = plusWide(kind, false, d, upperTwo(last2), v2, m);
        }
      }
      if (size > 3) {
        const x38 = v128.load(x3 + at), small3 = shortSubnormals<T>(x38, exponents);
        const upper3 = shortUpper<T>(x38, small3, mask, bias);
        const first3 = firstFour<T>(x38, upper3, small3), last3 = lastFour<T>(x38, upper3, small3);
        if (kind == singleSums) {
          a = plusSingle(false, a, f32x4.mul(first3, v3));
          b = plusSingle(false, b, f32x4.mul(last3, v3));
        } else {
          a = plusWide(kind, false, a, f64x2.promote_low_f32x4(first3), v3, m);
          b = plusWide(kind, false, b, upperTwo(first3), v3, m);
          c = plusWide(kind, false, c, f64x2.promote_low_f32x4(last3), v3, m);
          d = plusWide(kind, false, d, upperTwo(last3), v3, m);
        }
      }
      v128.store(to, a);
      v128.store(to, b, 16);
      if (kind != singleSums) {
        v128.store(to, c, 32);
        v128.store(to, d, 48);
      }
    }
  }
  for (; i < count; i++) {
    const at = i << 1;
    if (kind == singleSums) {
      const to = sums + (i << 2);
      let sum: f32 = loadOne<T>(x0 + at) * (w0 as f32);
      if (!isFirst) sum = load<f32>(to) + sum;
      if (size > 1) sum += loadOne<T>(x1 + at) * (w1 as f32);
      if (size > 2) sum += loadOne<T>(x2 + at) * (w2 as f32);
      if (size > 3) sum += loadOne<T>(x3 + at) * (w3 as f32);
      store<f32>(to, sum);
    } else {
      const to = sums + (i << 3);
      let sum = termOfOne<T>(kind, x0 + at, w0, magic);
      if (!isFirst) sum = plusOne(kind == exactSums, load<i64>(to), sum);
      if (size > 1) sum = plusOne(kind == exactSums, sum, termOfOne<T>(kind, x1 + at, w1, magic));
      if (size > 2) sum = plusOne(kind == exactSums, sum, termOfOne<T>(kind, x2 + at, w2, magic));
      if (size > 3) sum = plusOne(kind == exactSums, sum, termOfOne<T>(kind, x3 + at, w3, magic));
      store<i64>(to, sum);
    }
  }
}

@inline
function weightsOf(kind: i32, weight: f64): v128 {
  return kind == singleSums ? f32x4.splat(weight as f32) : f64x2.splat(weight);
}

@inline
function plusSingle(isFirst: bool, sums: v128, terms: v128): v128 {
  return isFirst ? terms : f32x4.add(sums, terms);
}

@inline
function plusWide(kind: i32, isFirst: bool, sums: v128, values: v128, weights: v128, magic: v128): v128 {
  const terms = termOf(kind == exactSums, values, weights, magic);
  return isFirst ? terms : plus(kind == exactSums, sums, terms);
}

/** The bits of a term. */
@inline
function termOfOne<T>(kind: i32, at: usize, weight: f64, magic: f64): i64 {
  const product = (loadOne<T>(at) as f64) * weight;
  return reinterpret<i64>(kind == exactSums ? product + magic : product);
}
