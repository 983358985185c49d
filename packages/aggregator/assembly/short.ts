import { held32 } from "./constants";

// Elements of 16 bits are decoded eight at a time: what can be done in lanes of 16 bits is half the work.

/** What `shortUpper` needs of binary16, to be kept outside of the loop: sign and magnitude, after its bits have moved by three. */
@inline
export function shortMask<T>(): v128 {
  return isSigned<T>() ? held32(0x8fff8fff) : i32x4.splat(0);
}

/** What float32's exponents have more. */
@inline
export function shortBias<T>(): v128 {
  return isSigned<T>() ? held32(0x38003800) : i32x4.splat(0);
}

/** The bits of binary16's exponents. */
@inline
export function shortExponents<T>(): v128 {
  return isSigned<T>() ? held32(0x7c007c00) : i32x4.splat(0);
}

// Where it is known that no element is subnormal or zero, `isRepaired` is false, and half of the work is not done; a constant.

/** All bits of the exponents of float32, and the signs, where elements are subnormal or zero. */
@inline
export function shortSubnormals<T>(isRepaired: bool, x: v128, exponents: v128): v128 {
  return isSigned<T>() && isRepaired ? i16x8.shl(i16x8.eq(v128.and(x, exponents), i32x4.splat(0)), 7) : x;
}

/** The upper halves of eight elements as float32, with an exponent more for subnormal numbers, since theirs is the same as the next. */
@inline
export function shortUpper<T>(isRepaired: bool, x: v128, subnormals: v128, mask: v128, bias: v128): v128 {
  if (!isSigned<T>()) return x;
  const upper = i16x8.add(v128.and(i16x8.shr_s(x, 3), mask), bias);
  return isRepaired ? i16x8.sub(upper, subnormals) : upper;
}

/**
 * The first four of eight elements. Subnormal numbers come out as 2^-14 (1 + m) and lose the 2^-14; the sign of a zero is lost with it.
 * (Moving all exponents by one multiplication is shorter, but processors take several times as long for it where there are
 * subnormals.)
 */
@inline
export function firstFour<T>(isRepaired: bool, x: v128, upper: v128, subnormals: v128): v128 {
  if (!isSigned<T>()) return i16x8.shuffle(i32x4.splat(0), x, 0, 8, 1, 9, 2, 10, 3, 11);
  const four = i16x8.shuffle(i16x8.shl(x, 13), upper, 0, 8, 1, 9, 2, 10, 3, 11);
  if (!isRepaired) return four;
  return f32x4.sub(four, i16x8.shuffle(i32x4.splat(0), v128.and(upper, subnormals), 0, 8, 1, 9, 2, 10, 3, 11));
}

/** The last four. */
@inline
export function lastFour<T>(isRepaired: bool, x: v128, upper: v128, subnormals: v128): v128 {
  if (!isSigned<T>()) return i16x8.shuffle(i32x4.splat(0), x, 4, 12, 5, 13, 6, 14, 7, 15);
  const four = i16x8.shuffle(i16x8.shl(x, 13), upper, 4, 12, 5, 13, 6, 14, 7, 15);
  if (!isRepaired) return four;
  return f32x4.sub(four, i16x8.shuffle(i32x4.splat(0), v128.and(upper, subnormals), 4, 12, 5, 13, 6, 14, 7, 15));
}
