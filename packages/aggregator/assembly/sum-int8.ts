import { firstPlaces, isDivisible, nextPlaces, partOf, upperBytes } from "./int8";

/**
 * What `decodeInt8` and then `sumSingleF32` do, without storing what is decoded: float32 sums = [sums +] Σ w * (scale * q), one update
 * after the other in the order of the list.
 *
 * @param inputs - addresses of the updates' elements, as u32
 * @param weights - their weights, as float64, each rounded to float32 once
 * @param scales - addresses of their scales, float32, that of the first element first, as u32
 * @param block - how many elements share a scale; the first element is the first of its block
 * @param isFirst - begins with the first product instead of with what the sums hold; sums of nothing are then zero
 */
export function sumSingleInt8(
  n: i32, isFirst: bool, sums: usize, count: usize, inputs: usize, weights: usize, scales: usize, block: usize,
): void {
  if (n <= 0) {
    if (isFirst) memory.fill(sums, 0, count << 2);
    return;
  }
  while (n > 0) {
    const size = n >= 4 ? 4 : 1;
    for (let from: usize = 0; from < count; from += block) {
      const end = min(count, from + block), scaleAt = (from / block) << 2;
      if (isFirst) {
        if (size == 4) addBlock(4, true, sums, from, end, inputs, weights, scales, scaleAt);
        else addBlock(1, true, sums, from, end, inputs, weights, scales, scaleAt);
      } else {
        if (size == 4) addBlock(4, false, sums, from, end, inputs, weights, scales, scaleAt);
        else addBlock(1, false, sums, from, end, inputs, weights, scales, scaleAt);
      }
    }
    isFirst = false;
    n -= size;
    inputs += size << 2;
    scales += size << 2;
    weights += size << 3;
  }
}

/** Adds the elements of so many updates that share a scale; the number and `isFirst` are constants wherever this is called. */
@inline
function addBlock(
  size: i32, isFirst: bool, sums: usize, from: usize, end: usize, inputs: usize, weights: usize, scales: usize, scaleAt: usize,
): void {
  const x0 = load<u32>(inputs) as usize, f0 = load<f64>(weights) as f32;
  const s0 = load<f32>((load<u32>(scales) as usize) + scaleAt);
  const x1 = size > 1 ? (load<u32>(inputs, 4) as usize) : 0, f1 = size > 1 ? (load<f64>(weights, 8) as f32) : 0;
  const s1 = size > 1 ? load<f32>((load<u32>(scales, 4) as usize) + scaleAt) : 0;
  const x2 = size > 2 ? (load<u32>(inputs, 8) as usize) : 0, f2 = size > 2 ? (load<f64>(weights, 16) as f32) : 0;
  const s2 = size > 2 ? load<f32>((load<u32>(scales, 8) as usize) + scaleAt) : 0;
  const x3 = size > 3 ? (load<u32>(inputs, 12) as usize) : 0, f3 = size > 3 ? (load<f64>(weights, 24) as f32) : 0;
  const s3 = size > 3 ? load<f32>((load<u32>(scales, 12) as usize) + scaleAt) : 0;
  let i = from;
  if (ASC_FEATURE_SIMD && isDivisible(s0) && isDivisible(s1) && isDivisible(s2) && isDivisible(s3)) {
    const v0 = f32x4.splat(f0), v1 = f32x4.splat(f1), v2 = f32x4.splat(f2), v3 = f32x4.splat(f3);
    const p0 = partOf(s0), p1 = partOf(s1), p2 = partOf(s2), p3 = partOf(s3);
    const first = firstPlaces(), next = nextPlaces(first);
    const whole = from + ((end - from) & ~7);
    for (; i < whole; i += 8) {
      const to = sums + (i << 2);
      let bytes = v128.load64_zero(x0 + i);
      let low = f32x4.mul(f32x4.mul(upperBytes(bytes, first), p0), v0), high = f32x4.mul(f32x4.mul(upperBytes(bytes, next), p0), v0);
      if (!isFirst) {
        low = f32x4.add(v128.load(to), low);
        high = f32x4.add(v128.load(to, 16), high);
      }
      if (size > 1) {
        bytes = v128.load64_zero(x1 + i);
        low = f32x4.add(low, f32x4.mul(f32x4.mul(upperBytes(bytes, first), p1), v1));
        high = f32x4.add(high, f32x4.mul(f32x4.mul(upperBytes(bytes, next), p1), v1));
      }
      if (size > 2) {
        bytes = v128.load64_zero(x2 + i);
        low = f32x4.add(low, f32x4.mul(f32x4.mul(upperBytes(bytes, first), p2), v2));
        high = f32x4.add(high, f32x4.mul(f32x4.mul(upperBytes(bytes, next), p2), v2));
      }
      if (size > 3) {
        bytes = v128.load64_zero(x3 + i);
        low = f32x4.add(low, f32x4.mul(f32x4.mul(upperBytes(bytes, first), p3), v3));
        high = f32x4.add(high, f32x4.mul(f32x4.mul(upperBytes(bytes, next), p3), v3));
      }
      v128.store(to, low);
      v128.store(to, high, 16);
    }
  }
  for (; i < end; i++) {
    const to = sums + (i << 2);
    let sum: f32 = valueOf(x0 + i, s0) * f0;
    if (!isFirst) sum = load<f32>(to) + sum;
    if (size > 1) sum += valueOf(x1 + i, s1) * f1;
    if (size > 2) sum += valueOf(x2 + i, s2) * f2;
    if (size > 3) sum += valueOf(x3 + i, s3) * f3;
    store<f32>(to, sum);
  }
}

@inline
function valueOf(at: usize, scale: f32): f32 {
  return (load<i8>(at) as f32) * scale;
}
