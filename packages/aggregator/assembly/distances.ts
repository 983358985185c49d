import { differenceSquares } from "./differences";
import { rowBytes } from "./rows";

/**
 * A distance is taken from products only where it is not much smaller than the squares that it is a difference of: rounding in
 * float32 costs less than 2^-17 of them, so less than 2^-11 of the distance. Any other is summed from differences in float64.
 */
const leastShare: f64 = 0.015625;
/** Squares of float32 outside of these lose bits or do not fit. */
const leastSquares: f64 = 1e-30;
const mostSquares: f64 = 1e30;

/**
 * Adds the squared distances between all pairs of n updates to `distances`, float64 in rows of n, below the diagonal. They are
 * |a|² + |b|² - 2ab of differences to one of the updates: half the work of taking the difference of each pair, and near models do
 * not cancel. Where they do all the same, because that one is far off, the pair's difference is taken, so that no update can
 * spoil the distances of others. Bits depend on where the elements of a call begin, on nothing else.
 *
 * @param inputs - addresses of the updates' elements, as u32
 * @param center - the update whose difference to each is taken
 * @param tile - room for rows of `rowBytes`, n of them rounded up to a multiple of four, and 8 bytes for each
 */
export function addDistancesF32(n: i32, inputs: usize, count: usize, center: i32, distances: usize, tile: usize): void {
  if (!ASC_FEATURE_SIMD) {
    for (let i = 1; i < n; i++) {
      for (let j = 0; j < i; j++) addTo(distances + ((i * n + j) << 3), differenceSquares<f32>(inputAt(inputs, i, 0), inputAt(inputs, j, 0), count));
    }
    return;
  }
  const rows = (n + 3) & ~3;
  const norms = tile + (rows as usize) * rowBytes;
  for (let i = n; i < rows; i++) memory.fill(tile + (i as usize) * rowBytes, 0, rowBytes);
  const all = count << 2;
  for (let from: usize = 0; from < all; from += rowBytes) {
    const bytes = min(rowBytes, all - from);
    const origin = inputAt(inputs, center, from);
    let largest: f64 = 0;
    for (let i = 0; i < n; i++) {
      const norm = layRow(inputAt(inputs, i, from), origin, bytes, tile + (i as usize) * rowBytes);
      store<f64>(norms + (i << 3), norm);
      largest = max(largest, norm);
    }
    // Parts of a model that nobody trains are equal everywhere; the norm of a row that is not zero is NaN where it would be zero.
    if (largest == 0) continue;
    for (let i = 0; i < n; i += 2) {
      for (let j = 0; j <= i; j += 4) addBlock(n, i, j, inputs, from, bytes, tile, norms, distances);
    }
  }
}

/** Adds the distances of updates i and i + 1 to j to j + 3, as far as they are below the diagonal. */
@inline
function addBlock(n: i32, i: i32, j: i32, inputs: usize, from: usize, bytes: usize, tile: usize, norms: usize, distances: usize): void {
  const a = tile + (i as usize) * rowBytes, b = tile + (j as usize) * rowBytes;
  let s0 = f32x4.splat(0), s1 = f32x4.splat(0), s2 = f32x4.splat(0), s3 = f32x4.splat(0);
  let t0 = f32x4.splat(0), t1 = f32x4.splat(0), t2 = f32x4.splat(0), t3 = f32x4.splat(0);
  for (let at: usize = 0; at < bytes; at += 16) {
    const x0 = v128.load(a + at), x1 = v128.load(a + at, rowBytes);
    const y0 = v128.load(b + at), y1 = v128.load(b + at, rowBytes), y2 = v128.load(b + at, 2 * rowBytes), y3 = v128.load(b + at, 3 * rowBytes);
    s0 = f32x4.add(s0, f32x4.mul(x0, y0));
    s1 = f32x4.add(s1, f32x4.mul(x0, y1));
    s2 = f32x4.add(s2, f32x4.mul(x0, y2));
    s3 = f32x4.add(s3, f32x4.mul(x0, y3));
    t0 = f32x4.add(t0, f32x4.mul(x1, y0));
    t1 = f32x4.add(t1, f32x4.mul(x1, y1));
    t2 = f32x4.add(t2, f32x4.mul(x1, y2));
    t3 = f32x4.add(t3, f32x4.mul(x1, y3));
  }
  addPair(n, i, j, s0, inputs, from, bytes, norms, distances);
  addPair(n, i, j + 1, s1, inputs, from, bytes, norms, distances);
  addPair(n, i, j + 2, s2, inputs, from, bytes, norms, distances);
  addPair(n, i, j + 3, s3, inputs, from, bytes, norms, distances);
  addPair(n, i + 1, j, t0, inputs, from, bytes, norms, distances);
  addPair(n, i + 1, j + 1, t1, inputs, from, bytes, norms, distances);
  addPair(n, i + 1, j + 2, t2, inputs, from, bytes, norms, distances);
  addPair(n, i + 1, j + 3, t3, inputs, from, bytes, norms, distances);
}

function addPair(n: i32, i: i32, j: i32, products: v128, inputs: usize, from: usize, bytes: usize, norms: usize, distances: usize): void {
  if (j >= i || i >= n) return;
  const squares = load<f64>(norms + (i << 3)) + load<f64>(norms + (j << 3));
  if (squares == 0) return;
  let distance = squares - 2 * sumOf(products);
  if (!(distance >= squares * leastShare && squares > leastSquares && squares < mostSquares)) {
    distance = differenceSquares<f32>(inputAt(inputs, i, from), inputAt(inputs, j, from), bytes >>> 2);
  }
  addTo(distances + ((i * n + j) << 3), distance);
}

/** Stores x - y, zeros up to a whole vector, and gives the sum of its squares; NaN where that is zero but the row is not. */
@inline
function layRow(x: usize, y: usize, bytes: usize, row: usize): f64 {
  let squares = f32x4.splat(0), bits = i32x4.splat(0);
  const whole = bytes & ~15;
  let at: usize = 0;
  for (; at < whole; at += 16) {
    const difference = f32x4.sub(v128.load(x + at), v128.load(y + at));
    v128.store(row + at, difference);
    squares = f32x4.add(squares, f32x4.mul(difference, difference));
    bits = v128.or(bits, difference);
  }
  if (at < bytes) {
    v128.store(row + at, f32x4.splat(0));
    for (; at < bytes; at += 4) store<f32>(row + at, load<f32>(x + at) - load<f32>(y + at));
    const difference = v128.load(row + whole);
    squares = f32x4.add(squares, f32x4.mul(difference, difference));
    bits = v128.or(bits, difference);
  }
  const sum = sumOf(squares);
  return sum == 0 && v128.any_true(bits) ? f64.NaN : sum;
}

/** The four lanes of float32 added in float64. */
@inline
function sumOf(four: v128): f64 {
  return (
    (f32x4.extract_lane(four, 0) as f64) + (f32x4.extract_lane(four, 1) as f64) +
    ((f32x4.extract_lane(four, 2) as f64) + (f32x4.extract_lane(four, 3) as f64))
  );
}

@inline
function inputAt(inputs: usize, update: i32, from: usize): usize {
  return (load<u32>(inputs + (update << 2)) as usize) + from;
}

@inline
function addTo(at: usize, value: f64): void {
  store<f64>(at, load<f64>(at) + value);
}
