import { differenceSquares } from "./differences";
import { upperTwo } from "./load";

/** Bytes of a row: of 32 updates they stay in the second cache; longer ones lose bits. No power of two, for the first cache's sake. */
const rowBytes: usize = 2368;
/**
 * A distance is taken from products only where it is not much smaller than the squares that it is a difference of: rounding in
 * float32 costs less than 2^-15 of them, so less than 2^-9 of the distance, and far less where errors are not all on one side. Any other is summed from differences in float64.
 */
const leastShare: f64 = 0.015625;
/** Squares of float32 outside of these lose bits or do not fit. */
const leastSquares: f64 = 1e-30;
const mostSquares: f64 = 1e30;

/**
 * Adds the squared distances between all pairs of n updates to `distances`, float64 in rows of n, below the diagonal. They are
 * |a|² + |b|² - 2ab of differences to one of the updates: half the work of taking the difference of each pair, and near models do
 * not cancel. Where they do all the same, because that one is far off, the pair's difference is taken, so that no update can
 * spoil the distances of others. Bits depend on where the elements of a call
 * begin and on whether the processor multiplies and adds in one instruction, on nothing else.
 *
 * @param inputs - addresses of the updates' elements, as u32
 * @param center - the update whose difference to each is taken
 * @param tile - room for rows of `rowBytes`, n of them rounded up to a multiple of four, and 8 bytes for each
 */
export function addDistancesF32(n: i32, inputs: usize, count: usize, center: i32, distances: usize, tile: usize): void {
  let from: usize = 0;
  if (ASC_FEATURE_SIMD) {
    const norms = tile + (((n + 3) & ~3) as usize) * rowBytes;
    const whole = (count & ~3) << 2;
    for (; from < whole; from += rowBytes) addPart(n, inputs, from, min(rowBytes, whole - from), center, distances, tile, norms);
    from = whole;
  }
  const rest = count - (from >>> 2);
  if (rest == 0) return;
  for (let i = 1; i < n; i++) {
    for (let j = 0; j < i; j++) {
      addTo(distances + ((i * n + j) << 3), differenceSquares<f32>(inputAt(inputs, i, from), inputAt(inputs, j, from), rest));
    }
  }
}

/** Adds the distances over as many elements as a row has. */
@inline
function addPart(n: i32, inputs: usize, from: usize, bytes: usize, center: i32, distances: usize, tile: usize, norms: usize): void {
  const origin = inputAt(inputs, center, from);
  let largest: f64 = 0;
  for (let i = 0; i < n; i += 4) layRows(n, i, inputs, from, origin, bytes, tile + (i as usize) * rowBytes, norms + (i << 3));
  for (let i = 0; i < n; i++) largest = max(largest, load<f64>(norms + (i << 3)));
  // Parts of a model that nobody trains are equal everywhere; the norm of a row that is not zero is NaN where it would be zero.
  if (largest == 0) return;
  for (let i = 0; i < n; i += 2) {
    for (let j = 0; j <= i; j += 4) addBlock(n, i, j, inputs, from, bytes, tile, norms, distances);
  }
}

/** Adds the distances of updates i and i + 1 to j to j + 3, as far as they are below the diagonal. */
@inline
function addBlock(n: i32, i: i32, j: i32, inputs: usize, from: usize, bytes: usize, tile: usize, norms: usize, distances: usize): void {
  let a = tile + (i as usize) * rowBytes;
  const b = tile + (j as usize) * rowBytes;
  let s0 = f32x4.splat(0), s1 = f32x4.splat(0), s2 = f32x4.splat(0), s3 = f32x4.splat(0);
  let t0 = f32x4.splat(0), t1 = f32x4.splat(0), t2 = f32x4.splat(0), t3 = f32x4.splat(0);
  const toOthers = b - a;
  for (const end = a + bytes; a < end; a += 16) {
    const other = a + toOthers;
    const x0 = v128.load(a), x1 = v128.load(a, rowBytes);
    let y = v128.load(other);
    s0 = f32x4.relaxed_madd(x0, y, s0);
    t0 = f32x4.relaxed_madd(x1, y, t0);
    y = v128.load(other, rowBytes);
    s1 = f32x4.relaxed_madd(x0, y, s1);
    t1 = f32x4.relaxed_madd(x1, y, t1);
    y = v128.load(other, 2 * rowBytes);
    s2 = f32x4.relaxed_madd(x0, y, s2);
    t2 = f32x4.relaxed_madd(x1, y, t2);
    y = v128.load(other, 3 * rowBytes);
    s3 = f32x4.relaxed_madd(x0, y, s3);
    t3 = f32x4.relaxed_madd(x1, y, t3);
  }
  addPairs(n, i, j, sumsOf(s0, s1), inputs, from, bytes, norms, distances);
  addPairs(n, i, j + 2, sumsOf(s2, s3), inputs, from, bytes, norms, distances);
  addPairs(n, i + 1, j, sumsOf(t0, t1), inputs, from, bytes, norms, distances);
  addPairs(n, i + 1, j + 2, sumsOf(t2, t3), inputs, from, bytes, norms, distances);
}

/** Adds the distances of update i to j and j + 1, whose products are given. */
@inline
function addPairs(n: i32, i: i32, j: i32, products: v128, inputs: usize, from: usize, bytes: usize, norms: usize, distances: usize): void {
  if (i < n && j + 1 < i) {
    const squares = f64x2.add(v128.load64_splat(norms + (i << 3)), v128.load(norms + (j << 3)));
    const two = f64x2.sub(squares, f64x2.add(products, products));
    const isPrecise = v128.and(f64x2.ge(two, f64x2.mul(squares, f64x2.splat(leastShare))), v128.and(
      f64x2.gt(squares, f64x2.splat(leastSquares)), f64x2.lt(squares, f64x2.splat(mostSquares)),
    ));
    if (i64x2.all_true(isPrecise)) {
      const at = distances + ((i * n + j) << 3);
      v128.store(at, f64x2.add(v128.load(at), two));
      return;
    }
  }
  addPair(n, i, j, f64x2.extract_lane(products, 0), inputs, from, bytes, norms, distances);
  addPair(n, i, j + 1, f64x2.extract_lane(products, 1), inputs, from, bytes, norms, distances);
}

function addPair(n: i32, i: i32, j: i32, products: f64, inputs: usize, from: usize, bytes: usize, norms: usize, distances: usize): void {
  if (j >= i || i >= n) return;
  const squares = load<f64>(norms + (i << 3)) + load<f64>(norms + (j << 3));
  if (squares == 0) return;
  let distance = squares - 2 * products;
  if (!(distance >= squares * leastShare && squares > leastSquares && squares < mostSquares)) {
    distance = differenceSquares<f32>(inputAt(inputs, i, from), inputAt(inputs, j, from), bytes >>> 2);
  }
  addTo(distances + ((i * n + j) << 3), distance);
}

/**
 * Stores the differences of updates i to i + 3 to the origin, zeros for updates that there are not, and the sums of their squares; NaN
 * where that is zero but the row is not.
 */
@inline
function layRows(n: i32, i: i32, inputs: usize, from: usize, origin: usize, bytes: usize, rows: usize, norms: usize): void {
  const x0 = inputAt(inputs, i, from);
  const x1 = i + 1 < n ? inputAt(inputs, i + 1, from) : origin;
  const x2 = i + 2 < n ? inputAt(inputs, i + 2, from) : origin;
  const x3 = i + 3 < n ? inputAt(inputs, i + 3, from) : origin;
  let s0 = f32x4.splat(0), s1 = f32x4.splat(0), s2 = f32x4.splat(0), s3 = f32x4.splat(0);
  let b0 = f32x4.splat(0), b1 = f32x4.splat(0), b2 = f32x4.splat(0), b3 = f32x4.splat(0);
  for (let at: usize = 0; at < bytes; at += 16) {
    const y = v128.load(origin + at), row = rows + at;
    const d0 = f32x4.sub(v128.load(x0 + at), y), d1 = f32x4.sub(v128.load(x1 + at), y);
    const d2 = f32x4.sub(v128.load(x2 + at), y), d3 = f32x4.sub(v128.load(x3 + at), y);
    v128.store(row, d0);
    v128.store(row, d1, rowBytes);
    v128.store(row, d2, 2 * rowBytes);
    v128.store(row, d3, 3 * rowBytes);
    s0 = f32x4.relaxed_madd(d0, d0, s0);
    s1 = f32x4.relaxed_madd(d1, d1, s1);
    s2 = f32x4.relaxed_madd(d2, d2, s2);
    s3 = f32x4.relaxed_madd(d3, d3, s3);
    b0 = v128.or(b0, d0);
    b1 = v128.or(b1, d1);
    b2 = v128.or(b2, d2);
    b3 = v128.or(b3, d3);
  }
  const low = sumsOf(s0, s1), high = sumsOf(s2, s3);
  store<f64>(norms, normOf(f64x2.extract_lane(low, 0), b0));
  store<f64>(norms, normOf(f64x2.extract_lane(low, 1), b1), 8);
  store<f64>(norms, normOf(f64x2.extract_lane(high, 0), b2), 16);
  store<f64>(norms, normOf(f64x2.extract_lane(high, 1), b3), 24);
}

@inline
function normOf(squares: f64, bits: v128): f64 {
  return squares == 0 && v128.any_true(bits) ? f64.NaN : squares;
}

/** The lanes of each of two vectors of float32, added in float64. */
@inline
function sumsOf(first: v128, second: v128): v128 {
  const one = f64x2.add(f64x2.promote_low_f32x4(first), upperTwo(first));
  const two = f64x2.add(f64x2.promote_low_f32x4(second), upperTwo(second));
  return f64x2.add(i64x2.shuffle(one, two, 0, 2), i64x2.shuffle(one, two, 1, 3));
}

@inline
function inputAt(inputs: usize, update: i32, from: usize): usize {
  return (load<u32>(inputs + (update << 2)) as usize) + from;
}

@inline
function addTo(at: usize, value: f64): void {
  store<f64>(at, load<f64>(at) + value);
}
