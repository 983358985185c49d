import { held32, magnitudes32, magnitudes64 } from "./constants";
import { decoded, stride } from "./load";

/**
 * Writes the largest absolute value of each of n updates as float64, `distance` bytes apart: what a grid asks for, in half the time of
 * a scan. It is infinite or NaN where an element is; of float64 only where it is infinite.
 *
 * @param inputs - addresses of the updates' elements, as u32
 */
@inline
export function largestAll<T>(n: i32, inputs: usize, count: usize, results: usize, distance: usize): void {
  for (; n >= 4; n -= 4) {
    largestOf<T>(4, inputs, count, results, distance);
    inputs += 16;
    results += 4 * distance;
  }
  for (; n > 0; n--) {
    largestOf<T>(1, inputs, count, results, distance);
    inputs += 4;
    results += distance;
  }
}

/** The same for so many updates in one pass; the number is a constant wherever this is called. */
@inline
function largestOf<T>(size: i32, inputs: usize, count: usize, results: usize, distance: usize): void {
  const x0 = load<u32>(inputs) as usize;
  const x1 = size > 1 ? (load<u32>(inputs, 4) as usize) : 0;
  const x2 = size > 2 ? (load<u32>(inputs, 8) as usize) : 0;
  const x3 = size > 3 ? (load<u32>(inputs, 12) as usize) : 0;
  let largest0: u64 = 0, largest1: u64 = 0, largest2: u64 = 0, largest3: u64 = 0;
  let at: usize = 0;
  const bytes = count * stride<T>();
  if (ASC_FEATURE_SIMD) {
    const mask = magnitudesOf<T>();
    let most0 = i32x4.splat(0), most1 = i32x4.splat(0), most2 = i32x4.splat(0), most3 = i32x4.splat(0);
    const whole = bytes & ~15;
    for (; at < whole; at += 16) {
      most0 = larger<T>(most0, v128.and(v128.load(x0 + at), mask));
      if (size > 1) most1 = larger<T>(most1, v128.and(v128.load(x1 + at), mask));
      if (size > 2) most2 = larger<T>(most2, v128.and(v128.load(x2 + at), mask));
      if (size > 3) most3 = larger<T>(most3, v128.and(v128.load(x3 + at), mask));
    }
    largest0 = largestLane<T>(most0);
    if (size > 1) largest1 = largestLane<T>(most1);
    if (size > 2) largest2 = largestLane<T>(most2);
    if (size > 3) largest3 = largestLane<T>(most3);
  }
  for (; at < bytes; at += stride<T>()) {
    largest0 = max(largest0, bitsOf<T>(x0 + at));
    if (size > 1) largest1 = max(largest1, bitsOf<T>(x1 + at));
    if (size > 2) largest2 = max(largest2, bitsOf<T>(x2 + at));
    if (size > 3) largest3 = max(largest3, bitsOf<T>(x3 + at));
  }
  store<f64>(results, valueOf<T>(largest0));
  if (size > 1) store<f64>(results + distance, valueOf<T>(largest1));
  if (size > 2) store<f64>(results + 2 * distance, valueOf<T>(largest2));
  if (size > 3) store<f64>(results + 3 * distance, valueOf<T>(largest3));
}

// Of magnitudes the bits are in the same order as the numbers, and those of infinity and NaN come after all others.

@inline
function magnitudesOf<T>(): v128 {
  return sizeof<T>() == 8 ? magnitudes64() : sizeof<T>() == 4 ? magnitudes32() : held32(0x7fff7fff);
}

/** There is no maximum of 64-bit integers; that of float64 keeps the first operand where the second is NaN. */
@inline
function larger<T>(most: v128, magnitudes: v128): v128 {
  return sizeof<T>() == 8 ? f64x2.pmax(most, magnitudes) : sizeof<T>() == 4 ? i32x4.max_s(most, magnitudes) : i16x8.max_s(most, magnitudes);
}

@inline
function largestLane<T>(most: v128): u64 {
  if (sizeof<T>() == 8) return max(i64x2.extract_lane(most, 0) as u64, i64x2.extract_lane(most, 1) as u64);
  const two = larger<T>(most, i64x2.shuffle(most, most, 1, 0));
  const one = larger<T>(two, i32x4.shuffle(two, two, 1, 0, 3, 2));
  if (sizeof<T>() == 4) return i32x4.extract_lane(one, 0) as u64;
  return max(i16x8.extract_lane_u(one, 0), i16x8.extract_lane_u(one, 1)) as u64;
}

@inline
function bitsOf<T>(at: usize): u64 {
  if (sizeof<T>() == 8) {
    const bits = load<u64>(at) & 0x7fffffffffffffff;
    return bits > 0x7ff0000000000000 ? 0 : bits;
  }
  return sizeof<T>() == 4 ? ((load<u32>(at) & 0x7fffffff) as u64) : ((load<u16>(at) & 0x7fff) as u64);
}

@inline
function valueOf<T>(bits: u64): f64 {
  return sizeof<T>() == 8 ? reinterpret<f64>(bits) : (decoded<T>(bits as u32) as f64);
}
