import { loadOne, stride } from "./load";

/** Writes the index of the first of `count` elements that is infinite or NaN, as int32; -1 where all are finite. */
@inline
export function firstNotFinite<T>(x: usize, count: i32, result: usize): void {
  let index = -1;
  for (let i = 0; i < count; i++) {
    const at = x + (i as usize) * stride<T>();
    const value = sizeof<T>() == 8 ? load<f64>(at) : (loadOne<T>(at) as f64);
    if (!(abs(value) <= f64.MAX_VALUE)) {
      index = i;
      break;
    }
  }
  store<i32>(result, index);
}

/** Writes the largest magnitude of `count` integers as float64. */
@inline
export function largestInteger<T>(x: usize, count: usize, result: usize): void {
  let most: i32 = 0, least: i32 = 0;
  const bytes = count * stride<T>();
  let at: usize = 0;
  if (ASC_FEATURE_SIMD) {
    let highest = i32x4.splat(0), lowest = i32x4.splat(0);
    const whole = bytes & ~15;
    for (; at < whole; at += 16) {
      const some = v128.load(x + at);
      highest = v128.max<T>(highest, some);
      if (isSigned<T>()) lowest = v128.min<T>(lowest, some);
    }
    most = extreme<T>(true, highest);
    if (isSigned<T>()) least = extreme<T>(false, lowest);
  }
  for (; at < bytes; at += stride<T>()) {
    const value = load<T>(x + at) as i32;
    most = max(most, value);
    least = min(least, value);
  }
  store<f64>(result, max(most as f64, -(least as f64)));
}

/** The largest lane, or the smallest; which is a constant. */
@inline
function extreme<T>(isLargest: bool, lanes: v128): i32 {
  let some = furtherOf<T>(isLargest, lanes, i64x2.shuffle(lanes, lanes, 1, 0));
  some = furtherOf<T>(isLargest, some, i32x4.shuffle(some, some, 1, 0, 3, 2));
  if (sizeof<T>() < 4) some = furtherOf<T>(isLargest, some, i16x8.shuffle(some, some, 1, 0, 3, 2, 5, 4, 7, 6));
  if (sizeof<T>() < 2) some = furtherOf<T>(isLargest, some, i8x16.shuffle(some, some, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14));
  return v128.extract_lane<T>(some, 0) as i32;
}

@inline
function furtherOf<T>(isLargest: bool, a: v128, b: v128): v128 {
  return isLargest ? v128.max<T>(a, b) : v128.min<T>(a, b);
}
