import { firstPlaces, isDivisible, partOf, upperBytes } from "./int8";
import { upperTwo } from "./load";
import { plusSquares, storeScan, sumOf } from "./scan";

/**
 * Scans n updates as they are stored: what `decodeInt8` and then `scanAllF32` find, but that squares are rounded elsewhere. Elements
 * are counted as integers, and multiplied with their scale once for each block.
 *
 * @param inputs - addresses of the updates' elements, as u32
 * @param stride - how far results stand apart, in bytes
 * @param scales - addresses of their scales, float32, that of the first element first, as u32
 * @param block - how many elements share a scale, at most 4096; the first element is the first of its block
 */
export function scanAllInt8(n: i32, inputs: usize, count: usize, results: usize, stride: usize, scales: usize, block: usize): void {
  for (let update = 0; update < n; update++) {
    const x = load<u32>(inputs + (update << 2)) as usize;
    let scaleAt = load<u32>(scales + (update << 2)) as usize;
    let largest: u32 = 0;
    let squares: f64 = 0;
    for (let from: usize = 0; from < count; from += block, scaleAt += 4) {
      const scale = load<f32>(scaleAt), end = min(count, from + block);
      let i = from;
      let most = 0, ofIntegers = 0;
      if (ASC_FEATURE_SIMD) {
        const whole = from + ((end - from) & ~15);
        let lower = i32x4.splat(0), upper = lower, sum0 = lower, sum1 = lower;
        for (; i < whole; i += 16) {
          const bytes = v128.load(x + i), low = i16x8.extend_low_i8x16_s(bytes), high = i16x8.extend_high_i8x16_s(bytes);
          lower = i8x16.min_s(lower, bytes);
          upper = i8x16.max_s(upper, bytes);
          sum0 = i32x4.add(sum0, i32x4.dot_i16x8_s(low, low));
          sum1 = i32x4.add(sum1, i32x4.dot_i16x8_s(high, high));
        }
        most = max(largestByte(upper), largestByte(i8x16.sub(i32x4.splat(0), lower)));
        sum0 = i32x4.add(sum0, sum1);
        ofIntegers =
          i32x4.extract_lane(sum0, 0) + i32x4.extract_lane(sum0, 1) + i32x4.extract_lane(sum0, 2) + i32x4.extract_lane(sum0, 3);
      }
      for (; i < end; i++) {
        const q = load<i8>(x + i) as i32;
        most = max(most, abs(q));
        ofIntegers += q * q;
      }
      // Of magnitudes the bits are in the same order, and those of infinity and NaN come after all others.
      largest = max(largest, reinterpret<u32>((most as f32) * scale) & 0x7fffffff);
      // A scale of 17 significant bits times 7 bits is rounded nowhere.
      if ((reinterpret<u32>(scale) & 0x7f) == 0) squares += (ofIntegers as f64) * (scale as f64) * (scale as f64);
      else squares += roundedSquares(x, from, end, scale);
    }
    storeScan(reinterpret<f32>(largest), squares, results + (update as usize) * stride);
  }
}

/** The largest of bytes without sign. */
@inline
function largestByte(bytes: v128): i32 {
  let most = i8x16.max_u(bytes, i8x16.shuffle(bytes, bytes, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7));
  most = i8x16.max_u(most, i8x16.shuffle(most, most, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3));
  most = i8x16.max_u(most, i8x16.shuffle(most, most, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1));
  return max(i8x16.extract_lane_u(most, 0), i8x16.extract_lane_u(most, 1));
}

/** The sum of the squares of elements of a block, each of which is rounded when it is decoded. */
function roundedSquares(x: usize, from: usize, end: usize, scale: f32): f64 {
  let squares: f64 = 0;
  let i = from;
  if (ASC_FEATURE_SIMD && isDivisible(scale)) {
    const part = partOf(scale), places = firstPlaces(), whole = from + ((end - from) & ~3);
    let two = f64x2.splat(0);
    for (; i < whole; i += 4) {
      const four = f32x4.mul(upperBytes(v128.load32_zero(x + i), places), part);
      two = plusSquares(two, f64x2.promote_low_f32x4(four), upperTwo(four));
    }
    squares = sumOf(two);
  }
  for (; i < end; i++) {
    const value = ((load<i8>(x + i) as f32) * scale) as f64;
    squares += value * value;
  }
  return squares;
}
