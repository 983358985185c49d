import { held32, zero } from "./constants";

// In the upper byte of 32 bits an element is 2^24 times as large, and comes there by one instruction; its scale is divided by as much.

/** Four bytes as numbers, each 2^24 times as large: those at the places that stand in the upper bytes, zeros in all others. */
@inline
export function upperBytes(bytes: v128, places: v128): v128 {
  return f32x4.convert_i32x4_s(i8x16.relaxed_swizzle(bytes, places));
}

/** The places of elements 0 to 3. */
@inline
export function firstPlaces(): v128 {
  return v128.or(i8x16(-1, -1, -1, 0, -1, -1, -1, 1, -1, -1, -1, 2, -1, -1, -1, 3), i64x2.splat(zero));
}

/** The places of the next four. */
@inline
export function nextPlaces(places: v128): v128 {
  return i32x4.add(places, held32(0x04000000));
}

/** What `upperBytes` is multiplied with instead of the scale. */
@inline
export function partOf(scale: f32): v128 {
  return f32x4.splat(scale * 5.9604644775390625e-8);
}

/** Whether a scale that is divided by 2^24 loses no bits: where it is not below 2^-100, which leaves it a normal number. */
@inline
export function isDivisible(scale: f32): bool {
  return !(abs(scale) < 7.888609052210118e-31) || scale == 0;
}
