import { magnitudes32 } from "./constants";
import { quarterOf } from "./quarters";
import { largestOf } from "./scan";

/** Bits of infinity; magnitudes of numbers that are not finite are these and above. */
const infinity: u32 = 0x7f800000;

/**
 * sums (float32) = [sums +] Σ w * x, one update after the other in the order of the list, whatever their number. Elements are finite.
 *
 * @param inputs - addresses of the updates' elements, as u32
 * @param weights - their weights, as float64, each rounded to float32 once
 * @param isFirst - begins with the first product instead of with what the sums hold; sums of nothing are then zero
 * @param flag - address to which 1 is written when a sum is not finite; 0 where nobody asks
 */
export function sumSingleF32(n: i32, isFirst: bool, sums: usize, count: usize, inputs: usize, weights: usize, flag: usize): void {
  if (n <= 0) {
    if (isFirst) memory.fill(sums, 0, count << 2);
    return;
  }
  // A sum that is not finite stays so, whatever is added.
  let largest: u32 = 0;
  // Sums are read and written once for each group, and cold memory answers faster when more places are asked for at a time.
  while (n > 0) {
    const size = n >= 8 ? 8 : n >= 4 ? 4 : n >= 2 ? 2 : 1;
    if (isFirst) {
      if (size == 8) largest = addGroup(8, true, sums, count, inputs, weights);
      else if (size == 4) largest = addGroup(4, true, sums, count, inputs, weights);
      else if (size == 2) largest = addGroup(2, true, sums, count, inputs, weights);
      else largest = addGroup(1, true, sums, count, inputs, weights);
    } else {
      if (size == 8) largest = addGroup(8, false, sums, count, inputs, weights);
      else if (size == 4) largest = addGroup(4, false, sums, count, inputs, weights);
      else if (size == 2) largest = addGroup(2, false, sums, count, inputs, weights);
      else largest = addGroup(1, false, sums, count, inputs, weights);
    }
    isFirst = false;
    n -= size;
    inputs += size << 2;
    weights += size << 3;
  }
  if (flag != 0 && largest >= infinity) store<i32>(flag, 1);
}

/**
 * Adds so many updates in one pass, and gives the bits of the sums' largest magnitude; the number and `isFirst` are constants wherever
 * this is called.
 */
@inline
function addGroup(size: i32, isFirst: bool, sums: usize, count: usize, inputs: usize, weights: usize): u32 {
  const x0 = load<u32>(inputs) as usize, f0 = load<f64>(weights) as f32;
  const x1 = size > 1 ? (load<u32>(inputs, 4) as usize) : 0, f1 = size > 1 ? (load<f64>(weights, 8) as f32) : 0;
  const x2 = size > 2 ? (load<u32>(inputs, 8) as usize) : 0, f2 = size > 2 ? (load<f64>(weights, 16) as f32) : 0;
  const x3 = size > 3 ? (load<u32>(inputs, 12) as usize) : 0, f3 = size > 3 ? (load<f64>(weights, 24) as f32) : 0;
  const x4 = size > 4 ? (load<u32>(inputs, 16) as usize) : 0, f4 = size > 4 ? (load<f64>(weights, 32) as f32) : 0;
  const x5 = size > 5 ? (load<u32>(inputs, 20) as usize) : 0, f5 = size > 5 ? (load<f64>(weights, 40) as f32) : 0;
  const x6 = size > 6 ? (load<u32>(inputs, 24) as usize) : 0, f6 = size > 6 ? (load<f64>(weights, 48) as f32) : 0;
  const x7 = size > 7 ? (load<u32>(inputs, 28) as usize) : 0, f7 = size > 7 ? (load<f64>(weights, 56) as f32) : 0;
  let largest: u32 = 0;
  let i: usize = 0;
  if (ASC_FEATURE_SIMD) {
    let most = i32x4.splat(0);
    const magnitudes = magnitudes32();
    const v0 = f32x4.splat(f0), v1 = f32x4.splat(f1), v2 = f32x4.splat(f2), v3 = f32x4.splat(f3);
    const v4 = f32x4.splat(f4), v5 = f32x4.splat(f5), v6 = f32x4.splat(f6), v7 = f32x4.splat(f7);
    // One update alone, as it streams in, meets sums that are cold: four places at a time, since they would wait for each other.
    if (size == 1) {
      const quarter = quarterOf(count);
      const step = quarter << 2;
      for (; i < quarter; i += 4) {
        const at0 = i << 2, at1 = at0 + step, at2 = at1 + step, at3 = at2 + step;
        most = addFour(most, magnitudes, size, isFirst, sums + at0, at0, x0, x1, x2, x3, x4, x5, x6, x7, v0, v1, v2, v3, v4, v5, v6, v7);
        most = addFour(most, magnitudes, size, isFirst, sums + at1, at1, x0, x1, x2, x3, x4, x5, x6, x7, v0, v1, v2, v3, v4, v5, v6, v7);
        most = addFour(most, magnitudes, size, isFirst, sums + at2, at2, x0, x1, x2, x3, x4, x5, x6, x7, v0, v1, v2, v3, v4, v5, v6, v7);
        most = addFour(most, magnitudes, size, isFirst, sums + at3, at3, x0, x1, x2, x3, x4, x5, x6, x7, v0, v1, v2, v3, v4, v5, v6, v7);
      }
      i = quarter << 2;
    }
    const whole = count & ~3;
    for (; i < whole; i += 4) {
      most = addFour(most, magnitudes, size, isFirst, sums + (i << 2), i << 2, x0, x1, x2, x3, x4, x5, x6, x7, v0, v1, v2, v3, v4, v5, v6, v7);
    }
    largest = largestOf(most);
  }
  for (; i < count; i++) {
    const at = i << 2, to = sums + at;
    let sum: f32 = load<f32>(x0 + at) * f0;
    if (!isFirst) sum = load<f32>(to) + sum;
    if (size > 1) sum += load<f32>(x1 + at) * f1;
    if (size > 2) sum += load<f32>(x2 + at) * f2;
    if (size > 3) sum += load<f32>(x3 + at) * f3;
    if (size > 4) sum += load<f32>(x4 + at) * f4;
    if (size > 5) sum += load<f32>(x5 + at) * f5;
    if (size > 6) sum += load<f32>(x6 + at) * f6;
    if (size > 7) sum += load<f32>(x7 + at) * f7;
    store<f32>(to, sum);
    largest = max(largest, reinterpret<u32>(sum) & 0x7fffffff);
  }
  return largest;
}

/** Adds four elements, and gives the largest magnitudes so far. */
@inline
function addFour(
  most: v128, magnitudes: v128, size: i32, isFirst: bool, to: usize, at: usize,
  x0: usize, x1: usize, x2: usize, x3: usize, x4: usize, x5: usize, x6: usize, x7: usize,
  v0: v128, v1: v128, v2: v128, v3: v128, v4: v128, v5: v128, v6: v128, v7: v128,
): v128 {
  let sum = f32x4.mul(v128.load(x0 + at), v0);
  if (!isFirst) sum = f32x4.add(v128.load(to), sum);
  if (size > 1) sum = f32x4.add(sum, f32x4.mul(v128.load(x1 + at), v1));
  if (size > 2) sum = f32x4.add(sum, f32x4.mul(v128.load(x2 + at), v2));
  if (size > 3) sum = f32x4.add(sum, f32x4.mul(v128.load(x3 + at), v3));
  if (size > 4) sum = f32x4.add(sum, f32x4.mul(v128.load(x4 + at), v4));
  if (size > 5) sum = f32x4.add(sum, f32x4.mul(v128.load(x5 + at), v5));
  if (size > 6) sum = f32x4.add(sum, f32x4.mul(v128.load(x6 + at), v6));
  if (size > 7) sum = f32x4.add(sum, f32x4.mul(v128.load(x7 + at), v7));
  v128.store(to, sum);
  return i32x4.max_s(most, v128.and(sum, magnitudes));
}
