import { upperTwo } from "./load";
import { lower, rowBytes, upper } from "./rows";
import { sortEight, sortSixteen } from "./sort-runs";
import { demoted } from "./store";

/**
 * Means, element by element, of what is left of n finite values without the `cut` smallest and the `cut` largest: their sum in
 * float64 from the smallest to the largest, divided by their number, rounded once; zero has no sign. The median is what is left when
 * all but one or two are cut. No bit depends on the order of the updates.
 *
 * @param inputs - addresses of the updates' elements, as u32
 * @param steps - a number of steps, and the steps, four u32 each, that make one sorted run, or two, of the sorted runs of sixteen
 *   rows: `sortingPlan` of `src/wasm/robust-kernels.ts` gives them
 * @param split - the row at which the second run begins, where there are two; else 0. At most two values are left then
 * @param tile - room for one row more than those of the plan
 */
export function trimmedMeanF32(n: i32, cut: i32, inputs: usize, count: usize, out: usize, steps: usize, split: i32, tile: usize): void {
  const rows = (n + 7) & ~7;
  const missing = tile + (rows as usize) * rowBytes;
  for (let at: usize = 0; at < rowBytes; at += 4) store<f32>(missing + at, f32.POSITIVE_INFINITY);
  let from: usize = 0;
  if (ASC_FEATURE_SIMD) {
    const whole = (count & ~3) << 2;
    for (; from < whole; from += rowBytes) {
      const bytes = min(rowBytes, whole - from);
      sortPart<v128>(n, rows, inputs, from, missing, steps, tile, bytes);
      if (split > 0) middle<v128>(n, split, rows, tile, bytes, out + from);
      else sums<v128>(n, cut, tile, bytes, out + from);
    }
    from = whole;
  }
  for (; from < count << 2; from += rowBytes) {
    const bytes = min(rowBytes, (count << 2) - from);
    sortPart<f32>(n, rows, inputs, from, missing, steps, tile, bytes);
    if (split > 0) middle<f32>(n, split, rows, tile, bytes, out + from);
    else sums<f32>(n, cut, tile, bytes, out + from);
  }
}

@inline
function sortPart<V>(n: i32, rows: i32, inputs: usize, from: usize, missing: usize, steps: usize, tile: usize, bytes: usize): void {
  for (let first = 0; first < rows; first += 16) {
    const to = tile + (first as usize) * rowBytes;
    if (rows - first > 8) sortSixteen<V>(n, first, inputs, from, missing, to, bytes);
    else sortEight<V>(n, first, inputs, from, missing, to, bytes);
  }
  const end = steps + 16 * (load<u32>(steps) as usize) + 4;
  for (let step = steps + 4; step < end; step += 16) {
    const a = tile + (load<u32>(step) as usize) * rowBytes, b = tile + (load<u32>(step, 4) as usize) * rowBytes;
    const third = load<u32>(step, 8) as usize;
    if (third == 0) compare<V>(a, b, bytes);
    else mergePairs<V>(a, b, tile + third * rowBytes, tile + (load<u32>(step, 12) as usize) * rowBytes, bytes);
  }
}

/** Puts the smaller values into row a and the larger into row b. */
@inline
function compare<V>(a: usize, b: usize, bytes: usize): void {
  for (let at: usize = 0; at < bytes; at += sizeof<V>()) {
    const x = load<V>(a + at), y = load<V>(b + at);
    store<V>(a + at, lower<V>(x, y));
    store<V>(b + at, upper<V>(x, y));
  }
}

/** Compares a with c and b with d, and then b with c, which spares storing and loading two rows. */
@inline
function mergePairs<V>(a: usize, b: usize, c: usize, d: usize, bytes: usize): void {
  for (let at: usize = 0; at < bytes; at += sizeof<V>()) {
    const w = load<V>(a + at), x = load<V>(b + at), y = load<V>(c + at), z = load<V>(d + at);
    const second = lower<V>(x, z), third = upper<V>(w, y);
    store<V>(a + at, lower<V>(w, y));
    store<V>(b + at, lower<V>(second, third));
    store<V>(c + at, upper<V>(second, third));
    store<V>(d + at, upper<V>(x, z));
  }
}

/**
 * Medians of two sorted runs. The r + 1 smallest of both are the smaller ones of a[i] and b[r - i] for i = 0 to r (K. E. Batcher,
 * "Sorting networks and their applications", 1968), so that the largest of these has rank r, and the smallest of all others rank r + 1.
 */
@inline
function middle<V>(n: i32, split: i32, rows: i32, tile: usize, bytes: usize, out: usize): void {
  const rank = (n - 1) >> 1;
  // The second run may be short; what is beyond its end is infinite.
  const first = max(0, rank - (rows - split - 1));
  const isNextInFirst = rank + 1 < split, isNextInSecond = rank + 1 < rows - split;
  for (let at: usize = 0; at < bytes; at += sizeof<V>()) {
    let a = tile + (first as usize) * rowBytes + at;
    let b = tile + ((split + rank - first) as usize) * rowBytes + at;
    let below = first > 0 ? load<V>(a - rowBytes) : splat<V>(f32.NEGATIVE_INFINITY);
    let above = splat<V>(f32.POSITIVE_INFINITY);
    for (let i = first; i <= rank; i++) {
      const x = load<V>(a), y = load<V>(b);
      below = upper<V>(below, lower<V>(x, y));
      above = lower<V>(above, upper<V>(x, y));
      a += rowBytes;
      b -= rowBytes;
    }
    if (isNextInFirst) above = lower<V>(above, load<V>(a));
    if (isNextInSecond) above = lower<V>(above, load<V>(tile + ((split + rank + 1) as usize) * rowBytes + at));
    storeHalf<V>(out + at, below, n & 1 ? below : above);
  }
}

/** Stores (a + b) / 2. */
@inline
function storeHalf<V>(out: usize, a: V, b: V): void {
  if (isVector<V>()) {
    const half = f64x2.splat(0.5);
    storeRounded(
      out,
      f64x2.mul(f64x2.add(f64x2.promote_low_f32x4(a), f64x2.promote_low_f32x4(b)), half),
      f64x2.mul(f64x2.add(upperTwo(a), upperTwo(b)), half),
    );
  } else store<f32>(out, ((((a as f64) + (b as f64)) * 0.5) as f32) + 0);
}

/** Means of the rows of one sorted run that are not cut. */
@inline
function sums<V>(n: i32, cut: i32, tile: usize, bytes: usize, out: usize): void {
  const kept = n - 2 * cut;
  for (let at: usize = 0; at < bytes; at += sizeof<V>()) {
    let row = tile + (cut as usize) * rowBytes + at;
    if (isVector<V>()) {
      let low = f64x2.promote_low_f32x4(v128.load64_zero(row)), high = f64x2.promote_low_f32x4(v128.load64_zero(row, 8));
      for (let i = 1; i < kept; i++) {
        row += rowBytes;
        low = f64x2.add(low, f64x2.promote_low_f32x4(v128.load64_zero(row)));
        high = f64x2.add(high, f64x2.promote_low_f32x4(v128.load64_zero(row, 8)));
      }
      const divisor = f64x2.splat(kept as f64);
      storeRounded(out + at, f64x2.div(low, divisor), f64x2.div(high, divisor));
    } else {
      let sum = load<f32>(row) as f64;
      for (let i = 1; i < kept; i++) {
        row += rowBytes;
        sum += load<f32>(row) as f64;
      }
      store<f32>(out + at, ((sum / (kept as f64)) as f32) + 0);
    }
  }
}

@inline
function splat<V>(value: f32): V {
  if (isVector<V>()) return f32x4.splat(value);
  return value;
}

/** Rounds and takes the sign from zeros. */
@inline
function storeRounded(out: usize, low: v128, high: v128): void {
  v128.store(out, f32x4.add(demoted(low, high), f32x4.splat(0)));
}
