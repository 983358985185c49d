import { loadTwo, stride } from "./load";

/** The sum of (x - y)², in float64 in a fixed order. */
@inline
export function differenceSquares<T>(x: usize, y: usize, count: usize): f64 {
  let sum: f64 = 0;
  let i: usize = 0;
  if (ASC_FEATURE_SIMD) {
    let sum0 = f64x2.splat(0), sum1 = f64x2.splat(0), sum2 = f64x2.splat(0), sum3 = f64x2.splat(0);
    const whole = count & ~7;
    for (; i < whole; i += 8) {
      const a = x + i * stride<T>(), b = y + i * stride<T>();
      sum0 = f64x2.add(sum0, squaresOf<T>(a, b));
      sum1 = f64x2.add(sum1, squaresOf<T>(a + 2 * stride<T>(), b + 2 * stride<T>()));
      sum2 = f64x2.add(sum2, squaresOf<T>(a + 4 * stride<T>(), b + 4 * stride<T>()));
      sum3 = f64x2.add(sum3, squaresOf<T>(a + 6 * stride<T>(), b + 6 * stride<T>()));
    }
    const two = f64x2.add(f64x2.add(sum0, sum1), f64x2.add(sum2, sum3));
    sum = f64x2.extract_lane(two, 0) + f64x2.extract_lane(two, 1);
  }
  for (; i < count; i++) {
    const at = i * stride<T>();
    const difference = (load<T>(x + at) as f64) - (load<T>(y + at) as f64);
    sum += difference * difference;
  }
  return sum;
}

@inline
function squaresOf<T>(x: usize, y: usize): v128 {
  const difference = f64x2.sub(loadTwo<T>(x), loadTwo<T>(y));
  return f64x2.mul(difference, difference);
}

/** Adds the sum of (x - y)² to the float64 at `result`. */
export function addDifferenceSquaresF32(x: usize, y: usize, count: usize, result: usize): void {
  store<f64>(result, load<f64>(result) + differenceSquares<f32>(x, y, count));
}

export function addDifferenceSquaresF64(x: usize, y: usize, count: usize, result: usize): void {
  store<f64>(result, load<f64>(result) + differenceSquares<f64>(x, y, count));
}
