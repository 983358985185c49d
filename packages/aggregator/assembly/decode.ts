import { held32, magnitudes32 } from "./constants";
import { firstPlaces, isDivisible, nextPlaces, partOf, upperBytes } from "./int8";
import { loadOne, stride } from "./load";
import { firstFour, lastFour, shortBias, shortExponents, shortMask, shortSubnormals, shortUpper } from "./short";

/** Elements stored in 16 bits as float32, exactly. */
@inline
export function decodeShort<T>(x: usize, count: usize, out: usize): void {
  let i: usize = 0;
  if (ASC_FEATURE_SIMD) {
    const mask = shortMask<T>(), bias = shortBias<T>(), exponents = shortExponents<T>();
    const magnitudes = magnitudes32(), beyond = held32(0x477fffff), infinity = held32(0x7f800000);
    const whole = count & ~7;
    for (; i < whole; i += 8) {
      const eight = v128.load(x + (i << 1)), subnormals = shortSubnormals<T>(true, eight, exponents);
      const upper = shortUpper<T>(true, eight, subnormals, mask, bias);
      let first = firstFour<T>(true, eight, upper, subnormals), last = lastFour<T>(true, eight, upper, subnormals);
      if (isSigned<T>()) {
        // What decodes to 2^16 and more is infinite or NaN.
        first = v128.or(first, v128.and(i32x4.gt_s(v128.and(first, magnitudes), beyond), infinity));
        last = v128.or(last, v128.and(i32x4.gt_s(v128.and(last, magnitudes), beyond), infinity));
      }
      v128.store(out + (i << 2), first);
      v128.store(out + (i << 2), last, 16);
    }
  }
  for (; i < count; i++) store<f32>(out + (i << 2), loadOne<T>(x + i * stride<T>()));
}

/**
 * Elements of int8 as float32, each scale × q rounded once.
 *
 * @param scales - float32, that of the first element first
 * @param block - how many elements share a scale
 * @param first - index of the first element in its tensor
 */
export function decodeInt8(x: usize, scales: usize, block: usize, first: usize, count: usize, out: usize): void {
  let scaleAt = scales;
  let left = block - (first % block);
  for (let i: usize = 0; i < count; ) {
    const scale = load<f32>(scaleAt);
    const end = min(count, i + left);
    if (ASC_FEATURE_SIMD && isDivisible(scale)) {
      const part = partOf(scale);
      const places0 = firstPlaces(), places1 = nextPlaces(places0), places2 = nextPlaces(places1), places3 = nextPlaces(places2);
      const whole = i + ((end - i) & ~15);
      for (; i < whole; i += 16) {
        const bytes = v128.load(x + i), to = out + (i << 2);
        v128.store(to, f32x4.mul(upperBytes(bytes, places0), part));
        v128.store(to, f32x4.mul(upperBytes(bytes, places1), part), 16);
        v128.store(to, f32x4.mul(upperBytes(bytes, places2), part), 32);
        v128.store(to, f32x4.mul(upperBytes(bytes, places3), part), 48);
      }
    }
    for (; i < end; i++) store<f32>(out + (i << 2), (load<i8>(x + i) as f32) * scale);
    scaleAt += 4;
    left = block;
  }
}

/**
 * Sparse elements as float32, zeros between them.
 *
 * @param indices - int32, ascending; those outside of the elements are passed over
 * @param k - how many there are
 * @param first - index of the first element
 */
export function scatterF32(indices: usize, values: usize, k: usize, first: i32, count: i32, out: usize): void {
  memory.fill(out, 0, (count as usize) << 2);
  for (let i: usize = 0; i < k; i++) {
    const element = load<i32>(indices + (i << 2)) - first;
    if (element >= 0 && element < count) store<f32>(out + ((element as usize) << 2), load<f32>(values + (i << 2)));
  }
}
