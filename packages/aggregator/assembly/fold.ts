import { magnitudes32 } from "./constants";
import { loadTwo } from "./load";
import { quarterOf } from "./quarters";
import { largestOf, plusSquares, storeScan, sumOf } from "./scan";
import { plus, plusOne, termOf, termOfOne } from "./sum-wide";

// One update's block is scanned and added to cold sums in one pass: while sums are waited for, the scan costs nothing.

/**
 * What `scanF32` writes for the elements, and what `sumSingleF32` adds of them.
 *
 * @param isFirst - begins with the product instead of with what the sums hold
 */
export function foldSingleF32(x: usize, count: usize, weight: f64, isFirst: bool, sums: usize, result: usize): void {
  if (isFirst) fold(false, true, x, count, weight, sums, 0, result);
  else fold(false, false, x, count, weight, sums, 0, result);
}

/**
 * What `scanF32` writes for the elements, and what `sumExactF32` adds of them. They may be anything: what is added of those that are
 * not finite, or not on the grid, means nothing until `unfoldExactF32` takes it away.
 */
export function foldExactF32(x: usize, count: usize, weight: f64, isFirst: bool, sums: usize, grid: usize, result: usize): void {
  if (isFirst) fold(true, true, x, count, weight, sums, load<f64>(grid), result);
  else fold(true, false, x, count, weight, sums, load<f64>(grid), result);
}

/**
 * Takes away what `foldExactF32` has added of the same elements with the same weight, bit by bit. Terms that are NaN are no exception:
 * the same instruction gives the same bits for the same elements.
 */
export function unfoldExactF32(x: usize, count: usize, weight: f64, sums: usize, grid: usize): void {
  const magic = load<f64>(grid);
  let i: usize = 0;
  if (ASC_FEATURE_SIMD) {
    const weights = f64x2.splat(weight), m = f64x2.splat(magic);
    const whole = count & ~1;
    for (; i < whole; i += 2) {
      const to = sums + (i << 3);
      v128.store(to, i64x2.sub(v128.load(to), termOf<f32>(true, loadTwo<f32>(x + (i << 2)), weights, m)));
    }
  }
  for (; i < count; i++) {
    const to = sums + (i << 3);
    store<i64>(to, load<i64>(to) - termOfOne<f32>(true, x + (i << 2), weight, magic));
  }
}

/** The first two arguments are constants wherever this is called. */
@inline
function fold(isExact: bool, isFirst: bool, x: usize, count: usize, weight: f64, sums: usize, magic: f64, result: usize): void {
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
    const magnitudes = magnitudes32(), m = f64x2.splat(magic);
    const weights = isExact ? f64x2.splat(weight) : f32x4.splat(single);
    const quarter = quarterOf(count);
    const step = quarter << 2, sumStep = quarter << shift;
    for (; i < quarter; i += 4) {
      const at0 = x + (i << 2), at1 = at0 + step, at2 = at1 + step, at3 = at2 + step;
      const to0 = sums + (i << shift), to1 = to0 + sumStep, to2 = to1 + sumStep, to3 = to2 + sumStep;
      most = i32x4.max_s(most, v128.and(v128.load(at0), magnitudes));
      sum0 = addFour(isExact, isFirst, to0, at0, sum0, weights, m);
      most = i32x4.max_s(most, v128.and(v128.load(at1), magnitudes));
      sum1 = addFour(isExact, isFirst, to1, at1, sum1, weights, m);
      most = i32x4.max_s(most, v128.and(v128.load(at2), magnitudes));
      sum2 = addFour(isExact, isFirst, to2, at2, sum2, weights, m);
      most = i32x4.max_s(most, v128.and(v128.load(at3), magnitudes));
      sum3 = addFour(isExact, isFirst, to3, at3, sum3, weights, m);
    }
    i = quarter << 2;
    largest = largestOf(most);
    squares = sumOf(f64x2.add(f64x2.add(sum0, sum1), f64x2.add(sum2, sum3)));
  }
  for (; i < count; i++) {
    const bits = load<u32>(x + (i << 2)), to = sums + (i << shift);
    const value = reinterpret<f32>(bits);
    largest = max(largest, bits & 0x7fffffff);
    squares += (value as f64) * (value as f64);
    if (isExact) {
      const term = termOfOne<f32>(true, x + (i << 2), weight, magic);
      store<i64>(to, isFirst ? term : plusOne(true, load<i64>(to), term));
    } else store<f32>(to, isFirst ? value * single : load<f32>(to) + value * single);
  }
  storeScan(reinterpret<f32>(largest), squares, result);
}

/** Adds four elements to sums, and their squares to `squares`. */
@inline
function addFour(isExact: bool, isFirst: bool, to: usize, at: usize, squares: v128, weights: v128, magic: v128): v128 {
  const low = loadTwo<f32>(at), high = loadTwo<f32>(at + 8);
  if (isExact) {
    const lowTerm = termOf<f32>(true, low, weights, magic), highTerm = termOf<f32>(true, high, weights, magic);
    v128.store(to, isFirst ? lowTerm : plus(true, v128.load(to), lowTerm));
    v128.store(to, isFirst ? highTerm : plus(true, v128.load(to, 16), highTerm), 16);
  } else {
    const product = f32x4.mul(v128.load(at), weights);
    v128.store(to, isFirst ? product : f32x4.add(v128.load(to), product));
  }
  return plusSquares(squares, low, high);
}
