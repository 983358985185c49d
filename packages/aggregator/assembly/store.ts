import { held32, held64, magnitudes32, magnitudes64 } from "./constants";

// Rounding float64 to the type of the model, to nearest, ties to even. Each function writes 1 to `result` when a magnitude is not
// below `limit`, or is NaN, and nothing otherwise; what it stored is then not to be used.

/** Four float64 rounded to float32. */
@inline
export function demoted(low: v128, high: v128): v128 {
  return i32x4.shuffle(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), 0, 1, 4, 5);
}

/** All bits set in the lanes where both magnitudes are below the limit. */
@inline
export function bothBelow(low: v128, high: v128, limits: v128): v128 {
  return v128.and(f64x2.lt(low, limits), f64x2.lt(high, limits));
}

export function storeF32(means: usize, count: usize, out: usize, limit: f64, result: usize): void {
  let isBeyond = false;
  let i: usize = 0;
  if (ASC_FEATURE_SIMD) {
    const limits = f64x2.splat(limit), magnitudes = magnitudes64();
    let within = f64x2.eq(limits, limits);
    const whole = count & ~3;
    for (; i < whole; i += 4) {
      const low = v128.load(means + (i << 3)), high = v128.load(means + (i << 3), 16);
      within = v128.and(within, bothBelow(v128.and(low, magnitudes), v128.and(high, magnitudes), limits));
      v128.store(out + (i << 2), demoted(low, high));
    }
    isBeyond = !i64x2.all_true(within);
  }
  for (; i < count; i++) {
    const mean = load<f64>(means + (i << 3));
    if (!(abs(mean) < limit)) isBeyond = true;
    store<f32>(out + (i << 2), mean as f32);
  }
  if (isBeyond) store<i32>(result, 1);
}

export function storeF64(means: usize, count: usize, out: usize, limit: f64, result: usize): void {
  let isBeyond = false;
  for (let i: usize = 0; i < count; i++) {
    const mean = load<f64>(means + (i << 3));
    if (!(abs(mean) < limit)) isBeyond = true;
    store<f64>(out + (i << 3), mean);
  }
  if (isBeyond) store<i32>(result, 1);
}

export function storeBf16(means: usize, count: usize, out: usize, limit: f64, result: usize): void {
  let isBeyond = false;
  let i: usize = 0;
  if (ASC_FEATURE_SIMD) {
    const limits = f64x2.splat(limit), magnitudes = magnitudes64();
    const one = held32(1), almostHalf = held32(0x7fff);
    let within = f64x2.eq(limits, limits);
    const whole = count & ~3;
    for (; i < whole; i += 4) {
      const low = v128.load(means + (i << 3)), high = v128.load(means + (i << 3), 16);
      within = v128.and(within, bothBelow(v128.and(low, magnitudes), v128.and(high, magnitudes), limits));
      const bits = oddFour(low, high, one, magnitudes);
      const isOdd = v128.and(i32x4.shr_u(bits, 16), one);
      const rounded = i32x4.shr_u(i32x4.add(i32x4.add(bits, almostHalf), isOdd), 16);
      v128.store64_lane(out + (i << 1), i16x8.narrow_i32x4_u(rounded, rounded), 0);
    }
    isBeyond = !i64x2.all_true(within);
  }
  for (; i < count; i++) {
    const mean = load<f64>(means + (i << 3));
    if (!(abs(mean) < limit)) isBeyond = true;
    const bits = oddBits(mean);
    store<u16>(out + (i << 1), ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) as u16);
  }
  if (isBeyond) store<i32>(result, 1);
}

export function storeF16(means: usize, count: usize, out: usize, limit: f64, result: usize): void {
  let isBeyond = false;
  let i: usize = 0;
  if (ASC_FEATURE_SIMD) {
    const limits = f64x2.splat(limit), magnitudes = magnitudes64();
    const one = held32(1), signBit = held32(0x8000), magnitudesOf32 = magnitudes32(), leastNormal = held32(0x38800000);
    const bias = held32(0x38000000 - 0xfff), steps = held64(reinterpret<u64>(subnormalMagic)), lastBits = held32(0x7ff);
    let within = f64x2.eq(limits, limits);
    const whole = count & ~3;
    for (; i < whole; i += 4) {
      const low = v128.load(means + (i << 3)), high = v128.load(means + (i << 3), 16);
      const lowAbs = v128.and(low, magnitudes), highAbs = v128.and(high, magnitudes);
      within = v128.and(within, bothBelow(lowAbs, highAbs, limits));
      const bits = oddFour(low, high, one, magnitudes);
      const sign = v128.and(i32x4.shr_u(bits, 16), signBit);
      const magnitude = v128.and(bits, magnitudesOf32);
      const isOdd = v128.and(i32x4.shr_u(magnitude, 13), one);
      const normal = i32x4.shr_u(i32x4.add(i32x4.sub(magnitude, bias), isOdd), 13);
      const subnormal = v128.and(i32x4.shuffle(f64x2.add(lowAbs, steps), f64x2.add(highAbs, steps), 0, 2, 4, 6), lastBits);
      const isSmall = i32x4.lt_s(magnitude, leastNormal);
      const rounded = v128.or(sign, v128.bitselect(subnormal, normal, isSmall));
      v128.store64_lane(out + (i << 1), i16x8.narrow_i32x4_u(rounded, rounded), 0);
    }
    isBeyond = !i64x2.all_true(within);
  }
  for (; i < count; i++) {
    const mean = load<f64>(means + (i << 3));
    if (!(abs(mean) < limit)) isBeyond = true;
    const bits = oddBits(mean);
    const magnitude = bits & 0x7fffffff;
    const rounded =
      magnitude < 0x38800000
        ? (reinterpret<u64>(abs(mean) + subnormalMagic) as u32) & 0x7ff
        : (magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13;
    store<u16>(out + (i << 1), (((bits >>> 16) & 0x8000) | rounded) as u16);
  }
  if (isBeyond) store<i32>(result, 1);
}

/** Added to a magnitude below 2^-14 it rounds to multiples of 2^-24, binary16's smallest, and leaves their number in the last bits. */
const subnormalMagic: f64 = 268435456.0;

/**
 * The float32 below in magnitude, its last bit set when anything was cut off: rounding that to fewer bits is the same as
 * rounding the float64 (Boldo and Melquiond, 2008). Going through the nearest float32 would round twice.
 */
@inline
function oddBits(value: f64): u32 {
  const nearest = value as f32;
  let bits = reinterpret<u32>(nearest);
  if ((nearest as f64) == value) return bits;
  if (abs(nearest as f64) > abs(value)) bits -= 1;
  return bits | 1;
}

@inline
function oddFour(low: v128, high: v128, one: v128, magnitudes: v128): v128 {
  const lowNear = f32x4.demote_f64x2_zero(low), highNear = f32x4.demote_f64x2_zero(high);
  const lowBack = f64x2.promote_low_f32x4(lowNear), highBack = f64x2.promote_low_f32x4(highNear);
  const isAbove = i32x4.shuffle(
    f64x2.gt(v128.and(lowBack, magnitudes), v128.and(low, magnitudes)),
    f64x2.gt(v128.and(highBack, magnitudes), v128.and(high, magnitudes)),
    0, 2, 4, 6,
  );
  const isCut = i32x4.shuffle(f64x2.ne(lowBack, low), f64x2.ne(highBack, high), 0, 2, 4, 6);
  const nearest = i32x4.shuffle(lowNear, highNear, 0, 1, 4, 5);
  return v128.or(i32x4.add(nearest, isAbove), v128.and(isCut, one));
}
