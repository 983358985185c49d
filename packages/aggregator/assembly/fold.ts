import { held32, magnitudes32 } from "./constants";
import { loadTwo, upperTwo } from "./load";
import { quarterOf } from "./quarters";
import { largestOf, plusSquares, storeScan, sumOf } from "./scan";
import { plus, plusOne, termOf } from "./sum-wide";

// One update's block is scanned and added to cold sums in one pass: while sums are waited for, the scan costs nothing.

/**
 * What `scanF32` writes for the elements, and what `sumSingleF32` adds of them.
 *
 * @param isFirst - begins with the product instead of with what the sums hold
 */
export function foldSingleF32(x: usize, count: usize, weight: f64, isFirst: bool, sums: usize, result: usize): void {
  if (isFirst) fold(false, true, x, count, weight, sums, 0, 0, result);
  else fold(false, false, x, count, weight, sums, 0, 0, result);
}

/**
 * What `scanF32` writes for the elements, and what `sumExactF32` adds of them. Those beyond a limit count as zeros, but for the
 * largest magnitude: whatever they are, the same call with -weight then adds the contrary.
 *
 * @param limit - finite, and the largest magnitude that is added
 */
export function foldExactF32(
  x: usize, count: usize, weight: f64, isFirst: bool, sums: usize, grid: usize, limit: f32, result: usize,
): void {
  if (isFirst) fold(true, true, x, count, weight, sums, load<f64>(grid), reinterpret<u32>(limit), result);
  else fold(true, false, x, count, weight, sums, load<f64>(grid), reinterpret<u32>(limit), result);
}

/** The first two arguments are constants wherever this is called. */
@inline
function fold(
  isExact: bool, isFirst: bool, x: usize, count: usize, weight: f64, sums: usize, magic: f64, limit: u32, result: usize,
): void {
  const shift: usize = isExact ? 3 : 2;
  const single = weight as f32;
  let largest: u32 = 0;
  let squares: f64 = 0;
  let i: usize = 0;
  if (ASC_FEATURE_SIMD) {
    // Four places at a time, as in `scanF32`, whose squares are added in the same order. All that lasts has to fit into 15 registers:
    // with a largest magnitude for each place it does not, and exact sums take a fifth longer.
    let most = i32x4.splat(0);
    let sum0 = f64x2.splat(0), sum1 = f64x2.splat(0), sum2 = f64x2.splat(0), sum3 = f64x2.splat(0);
    const magnitudes = magnitudes32(), limits = held32(limit + 1), m = f64x2.splat(magic);
    const weights = isExact ? f64x2.splat(weight) : f32x4.splat(single);
    const quarter = quarterOf(count);
    const step = quarter << 2, sumStep = quarter << shift;
    for (; i < quarter; i += 4) {
      const at0 = x + (i << 2), at1 = at0 + step, at2 = at1 + step, at3 = at2 + step;
      const to0 = sums + (i << shift), to1 = to0 + sumStep, to2 = to1 + sumStep, to3 = to2 + sumStep;
      const four0 = v128.load(at0), abs0 = v128.and(four0, magnitudes);
      most = i32x4.max_s(most, abs0);
      sum0 = addFour(isExact, isFirst, to0, at0, isExact ? within(four0, abs0, limits) : four0, sum0, weights, m);
      const four1 = v128.load(at1), abs1 = v128.and(four1, magnitudes);
      most = i32x4.max_s(most, abs1);
      sum1 = addFour(isExact, isFirst, to1, at1, isExact ? within(four1, abs1, limits) : four1, sum1, weights, m);
      const four2 = v128.load(at2), abs2 = v128.and(four2, magnitudes);
      most = i32x4.max_s(most, abs2);
      sum2 = addFour(isExact, isFirst, to2, at2, isExact ? within(four2, abs2, limits) : four2, sum2, weights, m);
      const four3 = v128.load(at3), abs3 = v128.and(four3, magnitudes);
      most = i32x4.max_s(most, abs3);
      sum3 = addFour(isExact, isFirst, to3, at3, isExact ? within(four3, abs3, limits) : four3, sum3, weights, m);
    }
    i = quarter << 2;
    largest = largestOf(most);
    squares = sumOf(f64x2.add(f64x2.add(sum0, sum1), f64x2.add(sum2, sum3)));
  }
  for (; i < count; i++) {
    const bits = load<u32>(x + (i << 2)), to = sums + (i << shift);
    const magnitude = bits & 0x7fffffff;
    largest = max(largest, magnitude);
    if (isExact) {
      const value = (magnitude <= limit ? reinterpret<f32>(bits) : 0) as f64;
      squares += value * value;
      const term = reinterpret<i64>(value * weight + magic);
      store<i64>(to, isFirst ? term : plusOne(true, load<i64>(to), term));
    } else {
      const value = reinterpret<f32>(bits);
      squares += (value as f64) * (value as f64);
      store<f32>(to, isFirst ? value * single : load<f32>(to) + value * single);
    }
  }
  storeScan(reinterpret<f32>(largest), squares, result);
}

/** Four elements, zeros in place of those beyond the limit. */
@inline
function within(four: v128, magnitudes: v128, limits: v128): v128 {
  return v128.and(four, i32x4.gt_s(limits, magnitudes));
}

/** Adds four elements to sums, and their squares to `squares`; those at `at` are the same where sums are not exact. */
@inline
function addFour(isExact: bool, isFirst: bool, to: usize, at: usize, four: v128, squares: v128, weights: v128, magic: v128): v128 {
  const low = isExact ? f64x2.promote_low_f32x4(four) : loadTwo<f32>(at), high = isExact ? upperTwo(four) : loadTwo<f32>(at + 8);
  if (isExact) {
    const lowTerm = termOf<f32>(true, low, weights, magic), highTerm = termOf<f32>(true, high, weights, magic);
    v128.store(to, isFirst ? lowTerm : plus(true, v128.load(to), lowTerm));
    v128.store(to, isFirst ? highTerm : plus(true, v128.load(to, 16), highTerm), 16);
  } else {
    const product = f32x4.mul(four, weights);
    v128.store(to, isFirst ? product : f32x4.add(v128.load(to), product));
  }
  return plusSquares(squares, low, high);
}
