import { biasOf } from "./finish-exact";

/** sums += steps: whole numbers of grid steps that were summed elsewhere, as int64, modulo 2^64. */
export function addSteps(sums: usize, steps: usize, count: usize): void {
  let i: usize = 0;
  if (ASC_FEATURE_SIMD) {
    const whole = count & ~1;
    for (; i < whole; i += 2) v128.store(sums + (i << 3), i64x2.add(v128.load(sums + (i << 3)), v128.load(steps + (i << 3))));
  }
  for (; i < count; i++) store<i64>(sums + (i << 3), load<i64>(sums + (i << 3)) + load<i64>(steps + (i << 3)));
}

/**
 * The grid steps that exact sums stand for, into another place.
 *
 * @param n - terms that `sumExact` kernels have added to each sum
 */
export function stepsOf(n: i32, sums: usize, count: usize, grid: usize, out: usize): void {
  const bias = biasOf(n, grid);
  for (let i: usize = 0; i < count; i++) store<i64>(out + (i << 3), load<i64>(sums + (i << 3)) - bias);
}
