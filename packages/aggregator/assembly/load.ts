import { held32 } from "./constants";

// Element types as they lie in a file, told apart by AssemblyScript types: f32 is F32, u16 is BF16, i16 is F16, f64 is F64.

/** Bytes of the file's type; the stand-ins have the same. */
@inline
export function stride<T>(): usize {
  return sizeof<T>();
}

/**
 * Updates that are added in one pass at most: cold memory answers faster when more places are asked for at a time. Where decoding
 * is what takes the time, fewer give smaller code.
 */
@inline
export function widest<T>(): i32 {
  return sizeof<T>() > 2 ? 8 : 4;
}

/** One element, decoded exactly. */
@inline
export function loadOne<T>(at: usize): f32 {
  return decoded<T>(isFloat<T>() ? load<u32>(at) : (load<u16>(at) as u32));
}

/** What the bits of one element mean. */
@inline
export function decoded<T>(bits: u32): f32 {
  if (isFloat<T>()) return reinterpret<f32>(bits);
  if (!isSigned<T>()) return reinterpret<f32>(bits << 16);
  const magnitude = (bits & 0x7fff) << 13;
  // Times 2^112 moves the exponent from binary16's bias to float32's, of subnormals too; what was above it is not finite.
  const word = reinterpret<u32>(reinterpret<f32>(magnitude) * reinterpret<f32>(0x77800000));
  return reinterpret<f32>(word | (magnitude >= 0x0f800000 ? 0x7f800000 : 0) | ((bits & 0x8000) << 16));
}

/** What `loadFinite` and those that call it need, to be kept outside of the loop. */
@inline
export function finiteMask<T>(): v128 {
  return isInteger<T>() && isSigned<T>() ? held32(0x8fffe000) : i32x4.splat(0);
}

/** 2^112, likewise. */
@inline
export function finitePower<T>(): v128 {
  return isInteger<T>() && isSigned<T>() ? held32(0x77800000) : i32x4.splat(0);
}

/** Four elements that are finite, decoded exactly; what is not finite becomes some number or other. */
@inline
export function loadFinite<T>(at: usize, mask: v128, power: v128): v128 {
  if (isFloat<T>()) return v128.load(at);
  if (!isSigned<T>()) return i32x4.shl(v128.load16x4_u(at), 16);
  // The sign comes down to its place by itself; times 2^112 moves the exponent from binary16's bias, of subnormals too.
  return f32x4.mul(v128.and(i32x4.shl(v128.load16x4_s(at), 13), mask), power);
}

/** Four elements of 16 bits, decoded exactly. What decodes to 2^16 and more is not finite. */
@inline
export function loadAny<T>(at: usize, mask: v128, power: v128, magnitudes: v128, beyond: v128, infinity: v128): v128 {
  const four = loadFinite<T>(at, mask, power);
  return isSigned<T>() ? v128.or(four, v128.and(f32x4.ge(v128.and(four, magnitudes), beyond), infinity)) : four;
}

/** Elements 0 and 1 of a floating type as float64. */
@inline
export function loadTwo<T>(at: usize): v128 {
  // Engines turn this pair into one instruction, which spares the shuffle for the upper half.
  return sizeof<T>() == 8 ? v128.load(at) : f64x2.promote_low_f32x4(v128.load64_zero(at));
}

/** Elements 2 and 3 of four that were loaded, as float64. */
@inline
export function upperTwo(four: v128): v128 {
  return f64x2.promote_low_f32x4(i32x4.shuffle(four, four, 2, 3, 2, 3));
}
