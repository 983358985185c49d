import { checkSingle } from "./finish";
import { firstPlaces, isDivisible, nextPlaces, partOf, upperBytes } from "./int8";

/**
 * Float32 sums of int8 as it is stored: sums = [sums +] Σ (w * scale) * q, one update after the other in the order of the list. The
 * product of weight and scale is rounded once for a block, so each term is rounded once less than what `decodeInt8` gives and
 * `sumSingleF32` adds. Where that product is too large or too small to be rounded like a normal number, a term is w * (scale * q).
 *
 * @param inputs - addresses of the updates' elements, as u32
 * @param weights - their weights, as float64, each rounded to float32 once
 * @param scales - addresses of their scales, float32, that of the first element first, as u32
 * @param block - how many elements share a scale; the first element is the first of its block
 * @param isFirst - begins with the first product instead of with what the sums hold; sums of nothing are then zero
 * @param flag - as for `sumSingleF32`
 */
export function sumSingleInt8(
  n: i32, isFirst: bool, sums: usize, count: usize, inputs: usize, weights: usize, scales: usize, block: usize, flag: usize,
): void {
  if (n <= 0) {
    if (isFirst) memory.fill(sums, 0, count << 2);
    return;
  }
  // Block after block, so that its sums stay in the first cache until they are done.
  for (let from: usize = 0; from < count; from += block) {
    const end = min(count, from + block), scaleAt = (from / block) << 2;
    for (let done = 0; done < n; ) {
      done += addGroup(n - done, isFirst && done == 0, sums, from, end, inputs + (done << 2), weights + (done << 3), scales + (done << 2), scaleAt);
    }
    if (flag != 0) checkSingle(sums + (from << 2), end - from, flag);
  }
}

/** Adds what up to four updates have in a block. Gives how many. */
function addGroup(
  n: i32, isFirst: bool, sums: usize, from: usize, end: usize, inputs: usize, weights: usize, scales: usize, scaleAt: usize,
): i32 {
  if (n >= 4) {
    if (isFirst) addBlock(4, true, sums, from, end, inputs, weights, scales, scaleAt);
    else addBlock(4, false, sums, from, end, inputs, weights, scales, scaleAt);
    return 4;
  }
  if (isFirst) addBlock(1, true, sums, from, end, inputs, weights, scales, scaleAt);
  else addBlock(1, false, sums, from, end, inputs, weights, scales, scaleAt);
  return 1;
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
  const g0 = f0 * s0, g1 = f1 * s1, g2 = f2 * s2, g3 = f3 * s3;
  let i = from;
  if (ASC_FEATURE_SIMD && isFactor(g0, s0) && isFactor(g1, s1) && isFactor(g2, s2) && isFactor(g3, s3)) {
    const p0 = partOf(g0), p1 = partOf(g1), p2 = partOf(g2), p3 = partOf(g3);
    const first = firstPlaces(), next = nextPlaces(first);
    const whole = from + ((end - from) & ~7);
    for (; i < whole; i += 8) {
      const to = sums + (i << 2);
      let bytes = v128.load64_zero(x0 + i);
      let low = f32x4.mul(upperBytes(bytes, first), p0), high = f32x4.mul(upperBytes(bytes, next), p0);
      if (!isFirst) {
        low = f32x4.add(v128.load(to), low);
        high = f32x4.add(v128.load(to, 16), high);
      }
      if (size > 1) {
        bytes = v128.load64_zero(x1 + i);
        low = f32x4.add(low, f32x4.mul(upperBytes(bytes, first), p1));
        high = f32x4.add(high, f32x4.mul(upperBytes(bytes, next), p1));
      }
      if (size > 2) {
        bytes = v128.load64_zero(x2 + i);
        low = f32x4.add(low, f32x4.mul(upperBytes(bytes, first), p2));
        high = f32x4.add(high, f32x4.mul(upperBytes(bytes, next), p2));
      }
      if (size > 3) {
        bytes = v128.load64_zero(x3 + i);
        low = f32x4.add(low, f32x4.mul(upperBytes(bytes, first), p3));
        high = f32x4.add(high, f32x4.mul(upperBytes(bytes, next), p3));
      }
      v128.store(to, low);
      v128.store(to, high, 16);
    }
  }
  for (; i < end; i++) {
    const to = sums + (i << 2);
    let sum = termOf(x0 + i, s0, f0, g0);
    if (!isFirst) sum = load<f32>(to) + sum;
    if (size > 1) sum += termOf(x1 + i, s1, f1, g1);
    if (size > 2) sum += termOf(x2 + i, s2, f2, g2);
    if (size > 3) sum += termOf(x3 + i, s3, f3, g3);
    store<f32>(to, sum);
  }
}

/** Whether weight and scale may be multiplied first: the product is finite and loses no bits when it is divided by 2^24. */
@inline
function isFactor(product: f32, scale: f32): bool {
  return scale == 0 || (product != 0 && isDivisible(product) && abs(product) <= f32.MAX_VALUE);
}

@inline
function termOf(at: usize, scale: f32, weight: f32, product: f32): f32 {
  const element = load<i8>(at) as f32;
  return isFactor(product, scale) ? element * product : element * scale * weight;
}
