import { doubleBias, doubleMask, doubleUpper, firstDouble, firstDoubles, lastDouble, lastDoubles } from "./double-short";
import { loadOne } from "./load";
import { firstFour, lastFour, shortBias, shortExponents, shortMask, shortSubnormals, shortUpper } from "./short";
import { plus, plusOne, termOf } from "./sum-wide";

/** What sums are made of; a constant wherever it is given. */
export const singleSums: i32 = 0;
export const doubleSums: i32 = 1;
export const exactSums: i32 = 2;

/**
 * What `sumSingleF32` and `sumWide` do, for elements of 16 bits.
 *
 * @param from - bytes behind the addresses of `inputs` where the elements begin
 */
@inline
export function sumShort<T>(
  kind: i32, n: i32, isFirst: bool, sums: usize, count: usize, inputs: usize, from: usize, weights: usize, magic: f64,
): void {
  if (n <= 0) {
    if (isFirst) memory.fill(sums, 0, count << (kind == singleSums ? 2 : 3));
    return;
  }
  while (n > 0) {
    const size = n >= 8 && widest<T>(kind) == 8 ? 8 : n >= 4 ? 4 : 1;
    if (isFirst) {
      if (widest<T>(kind) == 8 && size == 8) addGroup<T>(kind, 8, true, sums, count, inputs, from, weights, magic);
      else if (size == 4) addGroup<T>(kind, 4, true, sums, count, inputs, from, weights, magic);
      else addGroup<T>(kind, 1, true, sums, count, inputs, from, weights, magic);
    } else {
      if (widest<T>(kind) == 8 && size == 8) addGroup<T>(kind, 8, false, sums, count, inputs, from, weights, magic);
      else if (size == 4) addGroup<T>(kind, 4, false, sums, count, inputs, from, weights, magic);
      else addGroup<T>(kind, 1, false, sums, count, inputs, from, weights, magic);
    }
    isFirst = false;
    n -= size;
    inputs += size << 2;
    weights += size << 3;
  }
}

/** Where decoding is what takes the time, more than four at a time are no faster. */
@inline
function widest<T>(kind: i32): i32 {
  return kind == singleSums && !isSigned<T>() ? 8 : 4;
}

/** Adds so many updates in one pass; the number and `isFirst` are constants wherever this is called. */
@inline
function addGroup<T>(
  kind: i32, size: i32, isFirst: bool, sums: usize, count: usize, inputs: usize, from: usize, weights: usize, magic: f64,
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
    const v0 = weightsOf(kind, w0), v1 = weightsOf(kind, w1), v2 = weightsOf(kind, w2), v3 = weightsOf(kind, w3);
    const v4 = weightsOf(kind, w4), v5 = weightsOf(kind, w5), v6 = weightsOf(kind, w6), v7 = weightsOf(kind, w7);
    const m = f64x2.splat(magic);
    const mask = shortMask<T>(), bias = shortBias<T>(), exponents = shortExponents<T>();
    const isDoubled = isMadeDouble<T>(false, kind);
    const plainMask = isDoubled ? doubleMask() : mask, plainBias = isDoubled ? doubleBias() : bias;
    const whole = count & ~7;
    while (i < whole) {
      // Parts with subnormal numbers take longer. So few elements are rarely mistaken by branch prediction, and often without any.
      const end = isSigned<T>() ? min(i + 32, whole) : whole;
      if (isSigned<T>() && hasSubnormals(size, i, end, exponents, x0, x1, x2, x3)) {
        for (; i < end; i += 8) addEight<T>(true, kind, size, isFirst, sums, i, m, mask, bias, exponents, x0, x1, x2, x3, x4, x5, x6, x7, v0, v1, v2, v3, v4, v5, v6, v7);
      } else {
        for (; i < end; i += 8) addEight<T>(false, kind, size, isFirst, sums, i, m, plainMask, plainBias, exponents, x0, x1, x2, x3, x4, x5, x6, x7, v0, v1, v2, v3, v4, v5, v6, v7);
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
      if (size > 4) sum += loadOne<T>(x4 + at) * (w4 as f32);
      if (size > 5) sum += loadOne<T>(x5 + at) * (w5 as f32);
      if (size > 6) sum += loadOne<T>(x6 + at) * (w6 as f32);
      if (size > 7) sum += loadOne<T>(x7 + at) * (w7 as f32);
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

/** Whether elements become float64 at once: those of binary16 that are neither subnormal nor zero. */
@inline
function isMadeDouble<T>(isRepaired: bool, kind: i32): bool {
  return isSigned<T>() && !isRepaired && kind != singleSums;
}

/** Whether one of up to four updates has a subnormal number or zero in a part. */
@inline
function hasSubnormals(size: i32, first: usize, end: usize, exponents: v128, x0: usize, x1: usize, x2: usize, x3: usize): bool {
  let least = exponents;
  for (let at = first << 1; at < end << 1; at += 16) {
    least = i16x8.min_u(least, v128.and(v128.load(x0 + at), exponents));
    if (size > 1) least = i16x8.min_u(least, v128.and(v128.load(x1 + at), exponents));
    if (size > 2) least = i16x8.min_u(least, v128.and(v128.load(x2 + at), exponents));
    if (size > 3) least = i16x8.min_u(least, v128.and(v128.load(x3 + at), exponents));
  }
  return !i16x8.all_true(least);
}

/** Adds eight elements of each update; the first five arguments are constants but for `sums`. */
@inline
function addEight<T>(
  isRepaired: bool, kind: i32, size: i32, isFirst: bool, sums: usize, i: usize, m: v128, mask: v128, bias: v128, exponents: v128,
  x0: usize, x1: usize, x2: usize, x3: usize, x4: usize, x5: usize, x6: usize, x7: usize,
  v0: v128, v1: v128, v2: v128, v3: v128, v4: v128, v5: v128, v6: v128, v7: v128,
): void {
  const isDoubled = isMadeDouble<T>(isRepaired, kind);
  const at = i << 1, to = sums + (i << (kind == singleSums ? 2 : 3));
  // Eight sums: four float32 in each of a and b, or two float64 or int64 in each of a to d.
  let a = m, b = m, c = m, d = m;
  if (!isFirst) {
    a = v128.load(to);
    b = v128.load(to, 16);
    if (kind != singleSums) {
      c = v128.load(to, 32);
      d = v128.load(to, 48);
    }
  }
  const eight0 = v128.load(x0 + at), small0 = shortSubnormals<T>(isRepaired, eight0, exponents);
  const upper0 = isDoubled ? doubleUpper(eight0, mask, bias) : shortUpper<T>(isRepaired, eight0, small0, mask, bias);
  const first0 = isDoubled ? firstDouble(eight0, upper0) : firstFour<T>(isRepaired, eight0, upper0, small0);
  const last0 = isDoubled ? lastDouble(eight0, upper0) : lastFour<T>(isRepaired, eight0, upper0, small0);
  if (kind == singleSums) {
    a = plusSingle(isFirst, a, f32x4.mul(first0, v0));
    b = plusSingle(isFirst, b, f32x4.mul(last0, v0));
  } else {
    a = plusWide(kind, isFirst, a, firstDoubles(isDoubled, first0), v0, m);
    b = plusWide(kind, isFirst, b, lastDoubles(isDoubled, first0), v0, m);
    c = plusWide(kind, isFirst, c, firstDoubles(isDoubled, last0), v0, m);
    d = plusWide(kind, isFirst, d, lastDoubles(isDoubled, last0), v0, m);
  }
  if (size > 1) {
    const eight1 = v128.load(x1 + at), small1 = shortSubnormals<T>(isRepaired, eight1, exponents);
    const upper1 = isDoubled ? doubleUpper(eight1, mask, bias) : shortUpper<T>(isRepaired, eight1, small1, mask, bias);
    const first1 = isDoubled ? firstDouble(eight1, upper1) : firstFour<T>(isRepaired, eight1, upper1, small1);
    const last1 = isDoubled ? lastDouble(eight1, upper1) : lastFour<T>(isRepaired, eight1, upper1, small1);
    if (kind == singleSums) {
      a = plusSingle(false, a, f32x4.mul(first1, v1));
      b = plusSingle(false, b, f32x4.mul(last1, v1));
    } else {
      a = plusWide(kind, false, a, firstDoubles(isDoubled, first1), v1, m);
      b = plusWide(kind, false, b, lastDoubles(isDoubled, first1), v1, m);
      c = plusWide(kind, false, c, firstDoubles(isDoubled, last1), v1, m);
      d = plusWide(kind, false, d, lastDoubles(isDoubled, last1), v1, m);
    }
  }
  if (size > 2) {
    const eight2 = v128.load(x2 + at), small2 = shortSubnormals<T>(isRepaired, eight2, exponents);
    const upper2 = isDoubled ? doubleUpper(eight2, mask, bias) : shortUpper<T>(isRepaired, eight2, small2, mask, bias);
    const first2 = isDoubled ? firstDouble(eight2, upper2) : firstFour<T>(isRepaired, eight2, upper2, small2);
    const last2 = isDoubled ? lastDouble(eight2, upper2) : lastFour<T>(isRepaired, eight2, upper2, small2);
    if (kind == singleSums) {
      a = plusSingle(false, a, f32x4.mul(first2, v2));
      b = plusSingle(false, b, f32x4.mul(last2, v2));
    } else {
      a = plusWide(kind, false, a, firstDoubles(isDoubled, first2), v2, m);
      b = plusWide(kind, false, b, lastDoubles(isDoubled, first2), v2, m);
      c = plusWide(kind, false, c, firstDoubles(isDoubled, last2), v2, m);
      d = plusWide(kind, false, d, lastDoubles(isDoubled, last2), v2, m);
    }
  }
  if (size > 3) {
    const eight3 = v128.load(x3 + at), small3 = shortSubnormals<T>(isRepaired, eight3, exponents);
    const upper3 = isDoubled ? doubleUpper(eight3, mask, bias) : shortUpper<T>(isRepaired, eight3, small3, mask, bias);
    const first3 = isDoubled ? firstDouble(eight3, upper3) : firstFour<T>(isRepaired, eight3, upper3, small3);
    const last3 = isDoubled ? lastDouble(eight3, upper3) : lastFour<T>(isRepaired, eight3, upper3, small3);
    if (kind == singleSums) {
      a = plusSingle(false, a, f32x4.mul(first3, v3));
      b = plusSingle(false, b, f32x4.mul(last3, v3));
    } else {
      a = plusWide(kind, false, a, firstDoubles(isDoubled, first3), v3, m);
      b = plusWide(kind, false, b, lastDoubles(isDoubled, first3), v3, m);
      c = plusWide(kind, false, c, firstDoubles(isDoubled, last3), v3, m);
      d = plusWide(kind, false, d, lastDoubles(isDoubled, last3), v3, m);
    }
  }
  if (size > 4) {
    const eight4 = v128.load(x4 + at), small4 = shortSubnormals<T>(isRepaired, eight4, exponents);
    const upper4 = shortUpper<T>(isRepaired, eight4, small4, mask, bias);
    const first4 = firstFour<T>(isRepaired, eight4, upper4, small4), last4 = lastFour<T>(isRepaired, eight4, upper4, small4);
    a = plusSingle(false, a, f32x4.mul(first4, v4));
    b = plusSingle(false, b, f32x4.mul(last4, v4));
  }
  if (size > 5) {
    const eight5 = v128.load(x5 + at), small5 = shortSubnormals<T>(isRepaired, eight5, exponents);
    const upper5 = shortUpper<T>(isRepaired, eight5, small5, mask, bias);
    const first5 = firstFour<T>(isRepaired, eight5, upper5, small5), last5 = lastFour<T>(isRepaired, eight5, upper5, small5);
    a = plusSingle(false, a, f32x4.mul(first5, v5));
    b = plusSingle(false, b, f32x4.mul(last5, v5));
  }
  if (size > 6) {
    const eight6 = v128.load(x6 + at), small6 = shortSubnormals<T>(isRepaired, eight6, exponents);
    const upper6 = shortUpper<T>(isRepaired, eight6, small6, mask, bias);
    const first6 = firstFour<T>(isRepaired, eight6, upper6, small6), last6 = lastFour<T>(isRepaired, eight6, upper6, small6);
    a = plusSingle(false, a, f32x4.mul(first6, v6));
    b = plusSingle(false, b, f32x4.mul(last6, v6));
  }
  if (size > 7) {
    const eight7 = v128.load(x7 + at), small7 = shortSubnormals<T>(isRepaired, eight7, exponents);
    const upper7 = shortUpper<T>(isRepaired, eight7, small7, mask, bias);
    const first7 = firstFour<T>(isRepaired, eight7, upper7, small7), last7 = lastFour<T>(isRepaired, eight7, upper7, small7);
    a = plusSingle(false, a, f32x4.mul(first7, v7));
    b = plusSingle(false, b, f32x4.mul(last7, v7));
  }
  v128.store(to, a);
  v128.store(to, b, 16);
  if (kind != singleSums) {
    v128.store(to, c, 32);
    v128.store(to, d, 48);
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
  const terms = termOf<f32>(kind == exactSums, values, weights, magic);
  return isFirst ? terms : plus(kind == exactSums, sums, terms);
}

/** The bits of a term. */
@inline
function termOfOne<T>(kind: i32, at: usize, weight: f64, magic: f64): i64 {
  const product = (loadOne<T>(at) as f64) * weight;
  return reinterpret<i64>(kind == exactSums ? product + magic : product);
}

// Functions of their own, as `sumExactFrom` is.

export function sumSingleBf16From(
  n: i32, isFirst: bool, sums: usize, count: usize, inputs: usize, from: usize, weights: usize,
): void {
  sumShort<u16>(singleSums, n, isFirst, sums, count, inputs, from, weights, 0);
}

export function sumSingleF16From(
  n: i32, isFirst: bool, sums: usize, count: usize, inputs: usize, from: usize, weights: usize,
): void {
  sumShort<i16>(singleSums, n, isFirst, sums, count, inputs, from, weights, 0);
}

export function sumExactBf16From(
  n: i32, isFirst: bool, sums: usize, count: usize, inputs: usize, from: usize, weights: usize, magic: f64,
): void {
  sumShort<u16>(exactSums, n, isFirst, sums, count, inputs, from, weights, magic);
}

export function sumExactF16From(
  n: i32, isFirst: bool, sums: usize, count: usize, inputs: usize, from: usize, weights: usize, magic: f64,
): void {
  sumShort<i16>(exactSums, n, isFirst, sums, count, inputs, from, weights, magic);
}
