import { loadFour, loadOne, stride, upperTwo } from "./load";

/**
 * Writes the largest absolute value of `count` elements and the sum of their squares as two float64. NaN and infinity make the
 * sum not finite and need not show in the largest: a maximum that keeps NaN costs ten times as much (1.0 against 13 GB/s).
 */
@inline
export function scanSingle<T>(x: usize, count: usize, result: usize): void {
  let largest: f32 = 0;
  let squares: f64 = 0;
  let i: usize = 0;
  if (ASC_FEATURE_SIMD) {
    // Four places at a time: page walks and cache misses of one stream wait for each other (4.6 against 8 GB/s, cold).
    let most0 = f32x4.splat(0), most1 = f32x4.splat(0), most2 = f32x4.splat(0), most3 = f32x4.splat(0);
    let sum0 = f64x2.splat(0), sum1 = f64x2.splat(0), sum2 = f64x2.splat(0), sum3 = f64x2.splat(0);
    const quarter = (count >> 2) & ~3;
    const step = quarter * stride<T>();
    for (; i < quarter; i += 4) {
      const at = x + i * stride<T>();
      const four0 = loadFour<T>(at), four1 = loadFour<T>(at + step), four2 = loadFour<T>(at + 2 * step), four3 = loadFour<T>(at + 3 * step);
      most0 = f32x4.pmax(most0, f32x4.abs(four0));
      most1 = f32x4.pmax(most1, f32x4.abs(four1));
      most2 = f32x4.pmax(most2, f32x4.abs(four2));
      most3 = f32x4.pmax(most3, f32x4.abs(four3));
      sum0 = f64x2.add(sum0, squaresOf(four0));
      sum1 = f64x2.add(sum1, squaresOf(four1));
      sum2 = f64x2.add(sum2, squaresOf(four2));
      sum3 = f64x2.add(sum3, squaresOf(four3));
    }
    i = quarter << 2;
    const sum = f64x2.add(f64x2.add(sum0, sum1), f64x2.add(sum2, sum3));
    squares = f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1);
    const most = f32x4.pmax(f32x4.pmax(most0, most1), f32x4.pmax(most2, most3));
    largest = max(
      max(f32x4.extract_lane(most, 0), f32x4.extract_lane(most, 1)),
      max(f32x4.extract_lane(most, 2), f32x4.extract_lane(most, 3)),
    );
  }
  for (; i < count; i++) {
    const value = loadOne<T>(x + i * stride<T>());
    const magnitude = abs(value);
    if (magnitude > largest) largest = magnitude;
    squares += (value as f64) * (value as f64);
  }
  store<f64>(result, largest as f64);
  store<f64>(result, squares, 8);
}

@inline
function squaresOf(four: v128): v128 {
  const low = f64x2.promote_low_f32x4(four), high = upperTwo(four);
  return f64x2.add(f64x2.mul(low, low), f64x2.mul(high, high));
}

/** The same for float64. */
export function scanF64(x: usize, count: usize, result: usize): void {
  let largest: f64 = 0;
  let squares: f64 = 0;
  let i: usize = 0;
  if (ASC_FEATURE_SIMD) {
    let most0 = f64x2.splat(0), most1 = f64x2.splat(0), sum0 = f64x2.splat(0), sum1 = f64x2.splat(0);
    const whole = count & ~3;
    for (; i < whole; i += 4) {
      const two0 = v128.load(x + (i << 3)), two1 = v128.load(x + (i << 3), 16);
      most0 = f64x2.pmax(most0, f64x2.abs(two0));
      most1 = f64x2.pmax(most1, f64x2.abs(two1));
      sum0 = f64x2.add(sum0, f64x2.mul(two0, two0));
      sum1 = f64x2.add(sum1, f64x2.mul(two1, two1));
    }
    const sum = f64x2.add(sum0, sum1);
    const most = f64x2.pmax(most0, most1);
    squares = f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1);
    largest = max(f64x2.extract_lane(most, 0), f64x2.extract_lane(most, 1));
  }
  for (; i < count; i++) {
    const value = load<f64>(x + (i << 3));
    const magnitude = abs(value);
    if (magnitude > largest) largest = magnitude;
    squares += value * value;
  }
  store<f64>(result, largest);
  store<f64>(result, squares, 8);
}
