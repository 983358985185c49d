// Element types as they lie in a file, told apart by AssemblyScript types: f32 is F32, u16 is BF16, i16 is F16, f64 is F64.

/** Bytes of the file's type; the stand-ins have the same. */
@inline
export function stride<T>(): usize {
  return sizeof<T>();
}

/** One element, decoded exactly, but for the sign of a zero of binary16. */
@inline
export function loadOne<T>(at: usize): f32 {
  return decoded<T>(isFloat<T>() ? load<u32>(at) : (load<u16>(at) as u32));
}

/** What the bits of one element mean; a zero of binary16 has no sign. */
@inline
export function decoded<T>(bits: u32): f32 {
  if (isFloat<T>()) return reinterpret<f32>(bits);
  if (!isSigned<T>()) return reinterpret<f32>(bits << 16);
  const magnitude = (bits & 0x7fff) << 13;
  // Times 2^112 moves the exponent from binary16's bias to float32's, of subnormals too; what was above it is not finite.
  const word = reinterpret<u32>(reinterpret<f32>(magnitude) * reinterpret<f32>(0x77800000));
  return reinterpret<f32>(word | (magnitude >= 0x0f800000 ? 0x7f800000 : 0) | (word == 0 ? 0 : (bits & 0x8000) << 16));
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
