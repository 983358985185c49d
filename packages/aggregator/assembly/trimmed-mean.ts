import { upperTwo } from "./load";
import { lower, rowBytes, rowsOf, upper } from "./rows";
import { mergeEights, sortEight } from "./sort-runs";
import { demoted } from "./store";

/**
 * Means, element by element, of what is left of n finite values without the `cut` smallest and the `cut` largest: their sum in
 * float64 from the smallest to the largest, divided by their number, rounded once; zero has no sign. The median is what is left when
 * all but one or two are cut. No bit depends on the order of the updates.
 *
 * @param inputs - addresses of the updates' elements, as u32
 * @param steps - a number of steps, and the steps, four u32 each, that follow when each eight rows are sorted: `sortingPlan` of
 *   `src/wasm/robust-kernels.ts` gives them
 * @param split - the row at which the second of two sorted runs begins, whose merge is left to this: all of it where at most two
 *   values are left, else its last comparators. 0 where one sorted run is left
 * @param tiles - how many tiles of rows are filled in turn: so many rows long is what is read of each update at a time, since memory
 *   answers faster where it is read on
 * @param tile - room for the tiles, each of two rows more than those of the plan
 */
export function trimmedMeanF32(n: i32, cut: i32, inputs: usize, count: usize, out: usize, steps: usize, split: i32, tiles: i32, tile: usize): void {
  const tileBytes = ((rowsOf(n) + 2) as usize) * rowBytes;
  const burst = (tiles as usize) * rowBytes;
  for (let low = tile, end = tile + (tiles as usize) * tileBytes; low < end; low += tileBytes) {
    const high = low + tileBytes - rowBytes;
    for (let at: usize = 0; at < rowBytes; at += 4) {
      store<f32>(low + at, f32.NEGATIVE_INFINITY);
      store<f32>(high + at, f32.POSITIVE_INFINITY);
    }
  }
  tile += rowBytes;
  let from: usize = 0;
  if (ASC_FEATURE_SIMD) {
    const whole = (count & ~3) << 2;
    for (; from < whole; from += burst) addMeans<v128, v128>(n, cut, inputs, from, min(from + burst, whole), steps, split, tile, tileBytes, out);
    from = whole;
  }
  const end = count << 2;
  for (; from < end; from += burst) addMeans<f32, f64>(n, cut, inputs, from, min(from + burst, end), steps, split, tile, tileBytes, out);
}

/** Stores the means of as many elements as all tiles hold; S is what holds sums of V in float64, or half of them. */
@inline
function addMeans<V, S>(n: i32, cut: i32, inputs: usize, from: usize, end: usize, steps: usize, split: i32, tile: usize, tileBytes: usize, out: usize): void {
  const rows = rowsOf(n);
  for (let first = 0; first < rows; first += 8) {
    for (let at = from, to = tile; at < end; at += rowBytes, to += tileBytes) sortEight<V>(n, first, inputs, at, to, min(rowBytes, end - at));
  }
  const lastStep = steps + 16 * (load<u32>(steps) as usize) + 4;
  for (; from < end; from += rowBytes, tile += tileBytes) {
    const bytes = min(rowBytes, end - from);
    for (let step = steps + 4; step < lastStep; step += 16) takeStep<V>(step, tile, bytes);
    const kept = n - 2 * cut;
    // Rows of -Infinity stand before all others.
    const least = ((rows - n) >> 1) + cut;
    if (split == 0) sums<V, S>(least, kept, tile, bytes, out + from);
    else if (kept <= 2) middle<V>(n, split, rows, tile, bytes, out + from);
    else sumsOfPairs<V, S>(least, kept, tile, bytes, out + from);
  }
}

@inline
function takeStep<V>(step: usize, tile: usize, bytes: usize): void {
  const a = tile + (load<u32>(step) as usize) * rowBytes, b = tile + (load<u32>(step, 4) as usize) * rowBytes;
  const third = load<u32>(step, 8) as usize, fourth = load<u32>(step, 12) as usize;
  if (third > 0) mergePairs<V>(a, b, tile + third * rowBytes, tile + fourth * rowBytes, bytes);
  else if (fourth == 0) compare<V>(a, b, bytes);
  else if (fourth == 1) mergeEights<V, u8>(a, bytes);
  else if (fourth == 2) mergeEights<V, u16>(a, bytes);
  else mergeEights<V, u32>(a, bytes);
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
 * Medians of two sorted runs a and b, b not the longer one; both begin at even rows. Batcher's merge makes one run of all at even
 * places and one of all at odd places, and at last compares two of them: the two in the middle are the element of rank r of the even
 * ones and that of rank r - 1 of the odd ones, with r a quarter of the number of rows. The r + 1 smallest of two runs are the smaller
 * ones of a[i] and b[r - i], so that the largest of these has rank r (K. E. Batcher, "Sorting networks and their applications", 1968).
 */
@inline
function middle<V>(n: i32, split: i32, rows: i32, tile: usize, bytes: usize, out: usize): void {
  const turns = (rows - split) >> 1;
  const firstRow = (rows >> 1) - (rows - split);
  for (let at: usize = 0; at < bytes; at += sizeof<V>()) {
    let a = tile + (firstRow as usize) * rowBytes + at;
    let b = tile + (rows as usize) * rowBytes + at;
    // What is beyond the end of b is infinite. Where i is beyond the end of a, its place is that of b[0], with which it is compared.
    let even = load<V>(a), odd = load<V>(a - rowBytes);
    for (let turn = 0; turn < turns; turn++) {
      odd = upper<V>(odd, lower<V>(load<V>(a, rowBytes), load<V>(b - rowBytes)));
      a += 2 * rowBytes;
      b -= 2 * rowBytes;
      even = upper<V>(even, lower<V>(load<V>(a), load<V>(b)));
    }
    if (n & 1) {
      even = lower<V>(even, odd);
      odd = even;
    }
    storeHalf<V>(out + at, even, odd);
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

/** Means of `kept` rows of a sorted run, from row `least` on. */
@inline
function sums<V, S>(least: i32, kept: i32, tile: usize, bytes: usize, out: usize): void {
  for (let at: usize = 0; at < bytes; at += sizeof<V>()) {
    let row = tile + (least as usize) * rowBytes + at;
    let low = zero<S>(), high = low;
    for (let i = 0; i < kept; i++) {
      const x = load<V>(row);
      low = addLow<V, S>(low, x);
      high = addHigh<V, S>(high, x);
      row += rowBytes;
    }
    storeMean<V, S>(out + at, low, high, kept);
  }
}

/** The same where rows 1 and 2, 3 and 4, and so on, are still to be compared. */
@inline
function sumsOfPairs<V, S>(least: i32, kept: i32, tile: usize, bytes: usize, out: usize): void {
  for (let at: usize = 0; at < bytes; at += sizeof<V>()) {
    let row = tile + (least as usize) * rowBytes + at;
    let low = zero<S>(), high = low;
    let left = kept;
    if ((least & 1) == 0) {
      const x = upper<V>(load<V>(row - rowBytes), load<V>(row));
      low = addLow<V, S>(low, x);
      high = addHigh<V, S>(high, x);
      row += rowBytes;
      left -= 1;
    }
    for (; left > 1; left -= 2) {
      const x = load<V>(row), y = load<V>(row, rowBytes);
      const less = lower<V>(x, y), more = upper<V>(x, y);
      low = addLow<V, S>(addLow<V, S>(low, less), more);
      high = addHigh<V, S>(addHigh<V, S>(high, less), more);
      row += 2 * rowBytes;
    }
    if (left > 0) {
      const x = lower<V>(load<V>(row), load<V>(row, rowBytes));
      low = addLow<V, S>(low, x);
      high = addHigh<V, S>(high, x);
    }
    storeMean<V, S>(out + at, low, high, kept);
  }
}

@inline
function zero<S>(): S {
  if (isVector<S>()) return f64x2.splat(0);
  return 0;
}

/** Adds elements 0 and 1 of four, or one. */
@inline
function addLow<V, S>(sums: S, x: V): S {
  if (isVector<V>()) return f64x2.add(sums, f64x2.promote_low_f32x4(x));
  return sums + (x as f64);
}

/** Adds elements 2 and 3 of four, or nothing. */
@inline
function addHigh<V, S>(sums: S, x: V): S {
  if (isVector<V>()) return f64x2.add(sums, upperTwo(x));
  return sums;
}

@inline
function storeMean<V, S>(out: usize, low: S, high: S, kept: i32): void {
  if (isVector<V>()) {
    const divisor = f64x2.splat(kept as f64);
    storeRounded(out, f64x2.div(low, divisor), f64x2.div(high, divisor));
  } else store<f32>(out, ((low / (kept as f64)) as f32) + 0);
}

/** Rounds and takes the sign from zeros. */
@inline
function storeRounded(out: usize, low: v128, high: v128): void {
  v128.store(out, f32x4.add(demoted(low, high), f32x4.splat(0)));
}
