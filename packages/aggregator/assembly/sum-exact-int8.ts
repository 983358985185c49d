import { held32 } from "./constants";
import { firstPlaces, isDivisible, partOf, upperBytes } from "./int8";
import { upperTwo } from "./load";
import { plus, termOf } from "./sum-wide";

/**
 * What `decodeInt8` and then `sumExactF32` do, without storing what is decoded. Where scales have few significant bits, terms are
 * whole multiples of q and are added as integers, two updates in one instruction: half of the work of adding them one by one.
 *
 * @param inputs - addresses of the updates' elements, as u32
 * @param weights - their weights, as float64
 * @param scales - addresses of their scales, float32, that of the first element first, as u32
 * @param block - how many elements share a scale; the first element is the first of its block
 * @param grid - where `gridOf` has stored the magic number and 2^gridBits
 * @param isFirst - begins with the first term instead of with what the sums hold; sums of nothing are then zero
 */
export function sumExactInt8(
  n: i32, isFirst: bool, sums: usize, count: usize, inputs: usize, weights: usize, scales: usize, block: usize, grid: usize,
): void {
  addInt8Between(n, isFirst, sums, 0, count, inputs, weights, scales, block, grid);
}

/** `sumExactInt8` of elements from `from` to before `end`; addresses are those of the element 0. */
export function addInt8Between(
  n: i32, isFirst: bool, sums: usize, from: usize, end: usize, inputs: usize, weights: usize, scales: usize, block: usize, grid: usize,
): void {
  if (n <= 0) {
    if (isFirst) memory.fill(sums + (from << 3), 0, (end - from) << 3);
    return;
  }
  // Block after block, so that its sums stay in the first cache while groups of updates are added to them.
  while (from < end) {
    const next = min(end, from - (from % block) + block), scaleAt = (from / block) << 2;
    for (let done = 0; done < n; ) {
      const size = min(n - done, 8);
      done += addGroup(size, isFirst && done == 0, sums, from, next, inputs + (done << 2), weights + (done << 3), scales + (done << 2), scaleAt, grid);
    }
    from = next;
  }
}

/** Adds what up to eight updates have in a block. Gives how many. */
@inline
function addGroup(
  n: i32, isFirst: bool, sums: usize, from: usize, end: usize, inputs: usize, weights: usize, scales: usize, scaleAt: usize, grid: usize,
): i32 {
  const size = n >= 8 ? 8 : n >= 4 ? 4 : n >= 2 ? 2 : 1;
  const magic = load<f64>(grid);
  let next = from;
  if (ASC_FEATURE_SIMD) {
    const unit = unitOf(size, weights, scales, scaleAt, load<f64>(grid, 8));
    const whole = from + ((end - from) & ~7);
    if (unit < 0) {
      for (let i = 0; i < size; ) {
        const some = size - i >= 4 ? 4 : 1;
        addFloats(some, isFirst && i == 0, sums, from, end, inputs + (i << 2), weights + (i << 3), scales + (i << 2), scaleAt, magic);
        i += some;
      }
      return size;
    }
    const bias = (size as i64) * reinterpret<i64>(magic);
    const factor = load<f64>(grid, 8) * reinterpret<f64>(((1023 - unit) as i64) << 52);
    if (size == 8) addIntegers(4, false, isFirst, sums, from, whole, inputs, weights, scales, scaleAt, factor, unit, bias);
    else if (size == 4) addIntegers(2, false, isFirst, sums, from, whole, inputs, weights, scales, scaleAt, factor, unit, bias);
    else addIntegers(1, size == 1, isFirst, sums, from, whole, inputs, weights, scales, scaleAt, factor, unit, bias);
    next = whole;
  }
  addSingly(size, isFirst, sums, next, end, inputs, weights, scales, scaleAt, magic);
  return size;
}

/** Terms have fewer grid steps than 2^51. */
const mostSteps: f64 = 2251799813685248;
/** 1.5 * 2^52: adding it rounds to a whole number. */
const nearestInteger: f64 = 6755399441055744;
/** Multiples are counted in powers of two of grid steps, of which they have fewer than 2^30. */
const multipleBits: i32 = 30;

/**
 * The power of two of grid steps that the terms of a group in a block are counted in, as its exponent: all terms are whole multiples
 * of it, exactly. Where there is none, -1.
 */
@inline
function unitOf(size: i32, weights: usize, scales: usize, scaleAt: usize, steps: f64): i32 {
  let largest: f64 = 0;
  let bits: u32 = 0;
  for (let i = 0; i < size; i++) {
    const scale = scaleOf(scales + (i << 2), scaleAt);
    const multiple = abs(load<f64>(weights + (i << 3)) * (scale as f64) * steps);
    if (!(multiple < mostSteps)) return -1;
    if (multiple > largest) largest = multiple;
    bits |= reinterpret<u32>(scale);
  }
  // A scale of 17 significant bits times 7 bits is rounded nowhere.
  if ((bits & 0x7f) != 0) return -1;
  const unit = max(0, ((reinterpret<u64>(largest) >>> 52) as i32) - (1022 + multipleBits));
  const factor = steps * reinterpret<f64>(((1023 - unit) as i64) << 52);
  for (let i = 0; i < size; i++) {
    const multiple = multipleOf(weights + (i << 3), scales + (i << 2), scaleAt, factor);
    if (multiple + nearestInteger - nearestInteger != multiple) return -1;
  }
  return unit;
}

/** How much one more of q adds to a sum. The product of weight and scale is exact, and powers of two change nothing. */
@inline
function multipleOf(weight: usize, scale: usize, scaleAt: usize, factor: f64): f64 {
  return load<f64>(weight) * (scaleOf(scale, scaleAt) as f64) * factor;
}

@inline
function scaleOf(scale: usize, scaleAt: usize): f32 {
  return load<f32>((load<u32>(scale) as usize) + scaleAt);
}

/** Adds pairs of updates whose terms are multiples of q; of a lone update the pair is itself, zero times. The first two are constants. */
@inline
function addIntegers(
  pairs: i32, isLone: bool, isFirst: bool, sums: usize, from: usize, end: usize, inputs: usize, weights: usize, scales: usize,
  scaleAt: usize, factor: f64, unit: i32, bias: i64,
): void {
  const second = isLone ? 0 : 1;
  const a0 = integer(multipleOf(weights, scales, scaleAt, factor));
  const b0 = isLone ? 0 : integer(multipleOf(weights + 8, scales + 4, scaleAt, factor));
  const a1 = pairs > 1 ? integer(multipleOf(weights + 16, scales + 8, scaleAt, factor)) : 0;
  const b1 = pairs > 1 ? integer(multipleOf(weights + 24, scales + 12, scaleAt, factor)) : 0;
  const a2 = pairs > 2 ? integer(multipleOf(weights + 32, scales + 16, scaleAt, factor)) : 0;
  const b2 = pairs > 2 ? integer(multipleOf(weights + 40, scales + 20, scaleAt, factor)) : 0;
  const a3 = pairs > 2 ? integer(multipleOf(weights + 48, scales + 24, scaleAt, factor)) : 0;
  const b3 = pairs > 2 ? integer(multipleOf(weights + 56, scales + 28, scaleAt, factor)) : 0;
  const x0 = load<u32>(inputs) as usize, y0 = load<u32>(inputs + (second << 2)) as usize;
  const x1 = pairs > 1 ? (load<u32>(inputs, 8) as usize) : 0, y1 = pairs > 1 ? (load<u32>(inputs, 12) as usize) : 0;
  const x2 = pairs > 2 ? (load<u32>(inputs, 16) as usize) : 0, y2 = pairs > 2 ? (load<u32>(inputs, 20) as usize) : 0;
  const x3 = pairs > 2 ? (load<u32>(inputs, 24) as usize) : 0, y3 = pairs > 2 ? (load<u32>(inputs, 28) as usize) : 0;
  // Of a multiple the lower half is signed and the upper half the rest, since what multiplies them is signed.
  const lower0 = halves(a0, b0), lower1 = halves(a1, b1), lower2 = halves(a2, b2), lower3 = halves(a3, b3);
  const upper0 = upperHalves(a0, b0), upper1 = upperHalves(a1, b1), upper2 = upperHalves(a2, b2), upper3 = upperHalves(a3, b3);
  // Sums of halves begin at 2^30 and stay positive, which spares extending their sign: they are below 2^25 on either side of it.
  const start = held32(0x40000000);
  const biases = i64x2.splat(bias - ((0x40000000 + 0x400000000000) << (unit as i64)));
  for (let i = from; i < end; i += 8) {
    let x = v128.load_ext<i8>(x0 + i), y = v128.load_ext<i8>(y0 + i);
    let left = firstOfBoth(x, y), right = lastOfBoth(x, y);
    let lowerLeft = i32x4.add(start, i32x4.dot_i16x8_s(left, lower0)), lowerRight = i32x4.add(start, i32x4.dot_i16x8_s(right, lower0));
    let upperLeft = i32x4.add(start, i32x4.dot_i16x8_s(left, upper0)), upperRight = i32x4.add(start, i32x4.dot_i16x8_s(right, upper0));
    if (pairs > 1) {
      x = v128.load_ext<i8>(x1 + i);
      y = v128.load_ext<i8>(y1 + i);
      left = firstOfBoth(x, y);
      right = lastOfBoth(x, y);
      lowerLeft = i32x4.add(lowerLeft, i32x4.dot_i16x8_s(left, lower1));
      lowerRight = i32x4.add(lowerRight, i32x4.dot_i16x8_s(right, lower1));
      upperLeft = i32x4.add(upperLeft, i32x4.dot_i16x8_s(left, upper1));
      upperRight = i32x4.add(upperRight, i32x4.dot_i16x8_s(right, upper1));
    }
    if (pairs > 2) {
      x = v128.load_ext<i8>(x2 + i);
      y = v128.load_ext<i8>(y2 + i);
      left = firstOfBoth(x, y);
      right = lastOfBoth(x, y);
      lowerLeft = i32x4.add(lowerLeft, i32x4.dot_i16x8_s(left, lower2));
      lowerRight = i32x4.add(lowerRight, i32x4.dot_i16x8_s(right, lower2));
      upperLeft = i32x4.add(upperLeft, i32x4.dot_i16x8_s(left, upper2));
      upperRight = i32x4.add(upperRight, i32x4.dot_i16x8_s(right, upper2));
      x = v128.load_ext<i8>(x3 + i);
      y = v128.load_ext<i8>(y3 + i);
      left = firstOfBoth(x, y);
      right = lastOfBoth(x, y);
      lowerLeft = i32x4.add(lowerLeft, i32x4.dot_i16x8_s(left, lower3));
      lowerRight = i32x4.add(lowerRight, i32x4.dot_i16x8_s(right, lower3));
      upperLeft = i32x4.add(upperLeft, i32x4.dot_i16x8_s(left, upper3));
      upperRight = i32x4.add(upperRight, i32x4.dot_i16x8_s(right, upper3));
    }
    const to = sums + (i << 3);
    addTwo(isFirst, to, firstTwo(lowerLeft), firstTwo(upperLeft), unit, biases);
    addTwo(isFirst, to + 16, lastTwo(lowerLeft), lastTwo(upperLeft), unit, biases);
    addTwo(isFirst, to + 32, firstTwo(lowerRight), firstTwo(upperRight), unit, biases);
    addTwo(isFirst, to + 48, lastTwo(lowerRight), lastTwo(upperRight), unit, biases);
  }
}

/** Twice four times a pair of 16 bits. */
@inline
function halves(a: i32, b: i32): v128 {
  return i32x4.splat((a & 0xffff) | (b << 16));
}

@inline
function upperHalves(a: i32, b: i32): v128 {
  return halves((a + 0x8000) >> 16, (b + 0x8000) >> 16);
}

/** The first four of eight elements of two updates, side by side. */
@inline
function firstOfBoth(x: v128, y: v128): v128 {
  return i16x8.shuffle(x, y, 0, 8, 1, 9, 2, 10, 3, 11);
}

@inline
function lastOfBoth(x: v128, y: v128): v128 {
  return i16x8.shuffle(x, y, 4, 12, 5, 13, 6, 14, 7, 15);
}

/** The first two of four numbers, none of them negative, as 64 bits. */
@inline
function firstTwo(four: v128): v128 {
  return i32x4.shuffle(four, i32x4.splat(0), 0, 4, 1, 5);
}

@inline
function lastTwo(four: v128): v128 {
  return i32x4.shuffle(four, i32x4.splat(0), 2, 6, 3, 7);
}

@inline
function addTwo(isFirst: bool, to: usize, lower: v128, upper: v128, unit: i32, biases: v128): void {
  const terms = i64x2.add(i64x2.shl(i64x2.add(lower, i64x2.shl(upper, 16)), unit), biases);
  v128.store(to, isFirst ? terms : i64x2.add(v128.load(to), terms));
}

/** Adds so many updates whose values may be rounded; a constant, one or four. */
@inline
function addFloats(
  size: i32, isFirst: bool, sums: usize, from: usize, end: usize, inputs: usize, weights: usize, scales: usize, scaleAt: usize, magic: f64,
): void {
  const x0 = load<u32>(inputs) as usize, w0 = load<f64>(weights), s0 = scaleOf(scales, scaleAt);
  const x1 = size > 1 ? (load<u32>(inputs, 4) as usize) : 0, w1 = size > 1 ? load<f64>(weights, 8) : 0;
  const s1 = size > 1 ? scaleOf(scales + 4, scaleAt) : 0;
  const x2 = size > 1 ? (load<u32>(inputs, 8) as usize) : 0, w2 = size > 1 ? load<f64>(weights, 16) : 0;
  const s2 = size > 1 ? scaleOf(scales + 8, scaleAt) : 0;
  const x3 = size > 1 ? (load<u32>(inputs, 12) as usize) : 0, w3 = size > 1 ? load<f64>(weights, 24) : 0;
  const s3 = size > 1 ? scaleOf(scales + 12, scaleAt) : 0;
  let i = from;
  if (isDivisible(s0) && isDivisible(s1) && isDivisible(s2) && isDivisible(s3)) {
    const v0 = f64x2.splat(w0), v1 = f64x2.splat(w1), v2 = f64x2.splat(w2), v3 = f64x2.splat(w3);
    const p0 = partOf(s0), p1 = partOf(s1), p2 = partOf(s2), p3 = partOf(s3);
    const places = firstPlaces(), m = f64x2.splat(magic);
    const whole = from + ((end - from) & ~3);
    for (; i < whole; i += 4) {
      const to = sums + (i << 3);
      let four = f32x4.mul(upperBytes(v128.load32_zero(x0 + i), places), p0);
      let low = termOf<f32>(true, f64x2.promote_low_f32x4(four), v0, m), high = termOf<f32>(true, upperTwo(four), v0, m);
      if (!isFirst) {
        low = plus(true, v128.load(to), low);
        high = plus(true, v128.load(to, 16), high);
      }
      if (size > 1) {
        four = f32x4.mul(upperBytes(v128.load32_zero(x1 + i), places), p1);
        low = plus(true, low, termOf<f32>(true, f64x2.promote_low_f32x4(four), v1, m));
        high = plus(true, high, termOf<f32>(true, upperTwo(four), v1, m));
        four = f32x4.mul(upperBytes(v128.load32_zero(x2 + i), places), p2);
        low = plus(true, low, termOf<f32>(true, f64x2.promote_low_f32x4(four), v2, m));
        high = plus(true, high, termOf<f32>(true, upperTwo(four), v2, m));
        four = f32x4.mul(upperBytes(v128.load32_zero(x3 + i), places), p3);
        low = plus(true, low, termOf<f32>(true, f64x2.promote_low_f32x4(four), v3, m));
        high = plus(true, high, termOf<f32>(true, upperTwo(four), v3, m));
      }
      v128.store(to, low);
      v128.store(to, high, 16);
    }
  }
  addSingly(size, isFirst, sums, i, end, inputs, weights, scales, scaleAt, magic);
}

/** Adds element by element. */
function addSingly(
  n: i32, isFirst: bool, sums: usize, from: usize, end: usize, inputs: usize, weights: usize, scales: usize, scaleAt: usize, magic: f64,
): void {
  for (let update = 0; update < n; update++) {
    const x = load<u32>(inputs + (update << 2)) as usize;
    const weight = load<f64>(weights + (update << 3));
    const scale = scaleOf(scales + (update << 2), scaleAt);
    for (let i = from; i < end; i++) {
      const to = sums + (i << 3);
      const term = reinterpret<i64>((((load<i8>(x + i) as f32) * scale) as f64) * weight + magic);
      store<i64>(to, isFirst && update == 0 ? term : load<i64>(to) + term);
    }
  }
}

/** A whole number below 2^31 as an integer: the addition puts its bits where those of integers are. */
@inline
function integer(multiple: f64): i32 {
  return reinterpret<i64>(multiple + nearestInteger) as i32;
}
