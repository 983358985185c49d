/**
 * What `sumSingleF32` does, for elements of int8 whose values are scale × q rounded once: without decoding them into another place first
 * it takes half the time.
 *
 * @param scales - addresses of the updates' scales, as u32, that of the first element first
 * @param block - how many elements share a scale, in all updates
 * @param first - index of the first element in its tensor
 */
export function sumSingleInt8(n: i32, isFirst: bool, sums: usize, count: usize, inputs: usize, weights: usize, scales: usize, block: usize, first: usize): void {
  if (n <= 0 && isFirst) memory.fill(sums, 0, count << 2);
  while (n > 0) {
    const size = n >= 4 ? 4 : 1;
    if (size == 4) {
      if (isFirst) addGroup(4, true, sums, count, inputs, weights, scales, block, first);
      else addGroup(4, false, sums, count, inputs, weights, scales, block, first);
    } else if (isFirst) addGroup(1, true, sums, count, inputs, weights, scales, block, first);
    else addGroup(1, false, sums, count, inputs, weights, scales, block, first);
    isFirst = false;
    n -= size;
    inputs += size << 2;
    scales += size << 2;
    weights += size << 3;
  }
}

/** Adds so many updates in one pass; the number and `isFirst` are constants wherever this is called. */
@inline
function addGroup(size: i32, isFirst: bool, sums: usize, count: usize, inputs: usize, weights: usize, scales: usize, block: usize, first: usize): void {
  const x0 = load<u32>(inputs) as usize, w0 = load<f64>(weights) as f32;
  const x1 = size > 1 ? (load<u32>(inputs, 4) as usize) : 0, w1 = size > 1 ? (load<f64>(weights, 8) as f32) : 0;
  const x2 = size > 1 ? (load<u32>(inputs, 8) as usize) : 0, w2 = size > 1 ? (load<f64>(weights, 16) as f32) : 0;
  const x3 = size > 1 ? (load<u32>(inputs, 12) as usize) : 0, w3 = size > 1 ? (load<f64>(weights, 24) as f32) : 0;
  let left = block - (first % block);
  let scaleAt: usize = 0;
  for (let i: usize = 0; i < count; ) {
    const s0 = scaleOf(scales, scaleAt);
    const s1 = size > 1 ? scaleOf(scales + 4, scaleAt) : 0;
    const s2 = size > 1 ? scaleOf(scales + 8, scaleAt) : 0;
    const s3 = size > 1 ? scaleOf(scales + 12, scaleAt) : 0;
    const end = min(count, i + left);
    if (ASC_FEATURE_SIMD) {
      const scale0 = f32x4.splat(s0), scale1 = f32x4.splat(s1), scale2 = f32x4.splat(s2), scale3 = f32x4.splat(s3);
      const weight0 = f32x4.splat(w0), weight1 = f32x4.splat(w1), weight2 = f32x4.splat(w2), weight3 = f32x4.splat(w3);
      const whole = i + ((end - i) & ~7);
      for (; i < whole; i += 8) {
        const to = sums + (i << 2);
        let words = v128.load8x8_s(x0 + i);
        let low = lowTerms(words, scale0, weight0), high = highTerms(words, scale0, weight0);
        if (!isFirst) {
          low = f32x4.add(v128.load(to), low);
          high = f32x4.add(v128.load(to, 16), high);
        }
        if (size > 1) {
          words = v128.load8x8_s(x1 + i);
          low = f32x4.add(low, lowTerms(words, scale1, weight1));
          high = f32x4.add(high, highTerms(words, scale1, weight1));
          words = v128.load8x8_s(x2 + i);
          low = f32x4.add(low, lowTerms(words, scale2, weight2));
          high = f32x4.add(high, highTerms(words, scale2, weight2));
          words = v128.load8x8_s(x3 + i);
          low = f32x4.add(low, lowTerms(words, scale3, weight3));
          high = f32x4.add(high, highTerms(words, scale3, weight3));
        }
        v128.store(to, low);
        v128.store(to, high, 16);
      }
    }
    for (; i < end; i++) {
      const to = sums + (i << 2);
      let sum: f32 = (load<i8>(x0 + i) as f32) * s0 * w0;
      if (!isFirst) sum = load<f32>(to) + sum;
      if (size > 1) {
        sum += (load<i8>(x1 + i) as f32) * s1 * w1;
        sum += (load<i8>(x2 + i) as f32) * s2 * w2;
        sum += (load<i8>(x3 + i) as f32) * s3 * w3;
      }
      store<f32>(to, sum);
    }
    scaleAt += 4;
    left = block;
  }
}

@inline
function scaleOf(scales: usize, at: usize): f32 {
  return load<f32>((load<u32>(scales) as usize) + at);
}

@inline
function lowTerms(words: v128, scales: v128, weights: v128): v128 {
  return f32x4.mul(f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(words)), scales), weights);
}

@inline
function highTerms(words: v128, scales: v128, weights: v128): v128 {
  return f32x4.mul(f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(words)), scales), weights);
}
