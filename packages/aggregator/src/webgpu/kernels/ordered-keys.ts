/**
 * WGSL functions between the bits of float32 and integers that are ordered as the numbers are, -0 before 0. Comparing
 * integers keeps every bit of subnormal numbers, which comparing floats need not.
 */
export const orderedKeys = `
fn keyOf(bits: u32) -> i32 {
  return bitcast<i32>(bits ^ (bitcast<u32>(bitcast<i32>(bits) >> 31u) & 0x7fffffffu));
}

fn bitsOf(key: i32) -> u32 {
  return bitcast<u32>(key ^ ((key >> 31u) & 0x7fffffff));
}

fn floatOf(key: i32) -> f32 {
  return bitcast<f32>(bitsOf(key));
}
`;
