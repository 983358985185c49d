import { held32 } from "./constants";
import { upperTwo } from "./load";

// Elements of binary16 that are neither subnormal nor zero become float64 without becoming float32 first: float64 has more bits of
// each kind, and its lower half is zero.

/** Sign, exponent and the first four bits of the magnitude, after they have moved by six. */
@inline
export function doubleMask(): v128 {
  return held32(0x81ff81ff);
}

/** What float64's exponents have more. */
@inline
export function doubleBias(): v128 {
  return held32(0x3f003f00);
}

/** The first 16 bits of eight elements as float64. */
@inline
export function doubleUpper(x: v128, mask: v128, bias: v128): v128 {
  return i16x8.add(v128.and(i16x8.shr_s(x, 6), mask), bias);
}

/** The upper halves of the first four as float64. */
@inline
export function firstDouble(x: v128, upper: v128): v128 {
  return i16x8.shuffle(i16x8.shl(x, 10), upper, 0, 8, 1, 9, 2, 10, 3, 11);
}

@inline
export function lastDouble(x: v128, upper: v128): v128 {
  return i16x8.shuffle(i16x8.shl(x, 10), upper, 4, 12, 5, 13, 6, 14, 7, 15);
}

/** Elements 0 and 1 of four as float64; these are float32 or, where `isDoubled`, upper halves of float64. */
@inline
export function firstDoubles(isDoubled: bool, four: v128): v128 {
  return isDoubled ? i32x4.shuffle(i32x4.splat(0), four, 0, 4, 1, 5) : f64x2.promote_low_f32x4(four);
}

/** Elements 2 and 3. */
@inline
export function lastDoubles(isDoubled: bool, four: v128): v128 {
  return isDoubled ? i32x4.shuffle(i32x4.splat(0), four, 2, 6, 3, 7) : upperTwo(four);
}
