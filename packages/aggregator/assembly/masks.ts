/** sums -= mask, as 64-bit integers modulo 2^64; `addSteps` is the contrary. */
export function subtractSteps(sums: usize, mask: usize, count: usize): void {
  let i: usize = 0;
  if (ASC_FEATURE_SIMD) {
    const whole = count & ~1;
    for (; i < whole; i += 2) v128.store(sums + (i << 3), i64x2.sub(v128.load(sums + (i << 3)), v128.load(mask + (i << 3))));
  }
  for (; i < count; i++) store<i64>(sums + (i << 3), load<i64>(sums + (i << 3)) - load<i64>(mask + (i << 3)));
}

/**
 * Stores 1 where a sum is beyond a magnitude, else 0.
 *
 * @param most - where the magnitude stands, as int64 from 0 up
 */
export function checkSteps(sums: usize, count: usize, most: usize, flag: usize): void {
  const limit = load<i64>(most);
  let isBeyond = false;
  let i: usize = 0;
  if (ASC_FEATURE_SIMD) {
    const above = i64x2.splat(limit), below = i64x2.splat(-limit);
    let beyond = i64x2.splat(0);
    const whole = count & ~1;
    for (; i < whole; i += 2) {
      const two = v128.load(sums + (i << 3));
      beyond = v128.or(beyond, v128.or(i64x2.gt_s(two, above), i64x2.gt_s(below, two)));
    }
    isBeyond = v128.any_true(beyond);
  }
  for (; i < count; i++) {
    const sum = load<i64>(sums + (i << 3));
    if (sum > limit || sum < -limit) isBeyond = true;
  }
  store<i32>(flag, isBeyond ? 1 : 0);
}
