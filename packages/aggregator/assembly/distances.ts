import { differenceSquares } from "./differences";
import { upperTwo } from "./load";

/**
 * Bytes of a row: the longer, the less is to be done beside multiplying, but sums of longer ones lose bits, and rows of 32 updates are to
 * stay in the second cache. No power of two, for the first cache's sake.
 */
const rowBytes: usize = 4416;
/**
 * A distance is taken from products only where it is not much smaller than the squares that it is a difference of: rounding in
 * float32 costs less than 2^-15 of them, so less than 2^-9 of the distance, and far less where errors are not all on one side. Any other is summed
 * from differences in float64.
 */
const leastShare: f64 = 0.015625;
/** Squares of float32 outside of these lose bits or do not fit. */
const leastSquares: f64 = 1e-30;
const mostSquares: f64 = 1e30;

/**
 * Adds the squared distances between all pairs of n updates to `distances`, float64 in rows of n, below the diagonal. They are
 * |a|² + |b|² - 2ab of differences to the first update: half the work of taking the difference of each pair, and near models do
 * not cancel. Where they do all the same, because the first is far off, the pair's difference is taken, so that no update can
 * spoil the distances of others. Bits depend on where the elements of a call begin and on whether the processor multiplies and adds
 * in one instruction, on nothing else.
 *
 * @param inputs - addresses of the updates' elements, as u32
 * @param tile - room for n + 1 rows of `rowBytes`, and 8 bytes for each of n + 2
 */
export function addDistancesF32(n: i32, inputs: usize, count: usize, distances: usize, tile: usize): void {
  let from: usize = 0;
  if (ASC_FEATURE_SIMD) {
    const norms = tile + ((n + 1) as usize) * rowBytes;
    const whole = (count & ~3) << 2;
    for (; from < whole; from += rowBytes) addPart(n, inputs, from, min(rowBytes, whole - from), distances, tile, norms);
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
function addPart(n: i32, inputs: usize, from: usize, bytes: usize, distances: usize, tile: usize, norms: usize): void {
  if (n < 2) return;
  const origin = inputAt(inputs, 0, from);
  store<f64>(norms, 0);
  layRow(inputAt(inputs, 1, from), origin, bytes, tile, norms + 8);
  addPair(n, 1, 0, 0, inputs, from, bytes, norms, distances);
  let least = load<f64>(norms, 8), most = least;
  for (let i = 2; i < n; i += 3) {
    layBlock(n, i, inputs, from, origin, bytes, rowOf(tile, i), norms, distances);
    for (let k = i, end = min(n, i + 3); k < end; k++) {
      const norm = load<f64>(norms + (k << 3));
      least = min(least, norm);
      most = max(most, norm);
    }
    // Parts of a model that nobody trains are equal everywhere; the norm of a row that is not zero is NaN where it would be zero.
    if (most == 0) continue;
    const isOrdinary = least > leastSquares && most < 0.5 * mostSquares;
    for (let j = 1; j < i - 1; j += 3) addBlock(n, i, j, isOrdinary, inputs, from, bytes, rowOf(tile, i), rowOf(tile, j), norms, distances);
  }
}

/** Stores the difference of an update to the origin, and the sum of its squares. */
@inline
function layRow(x: usize, origin: usize, bytes: usize, row: usize, norm: usize): void {
  let squares = f32x4.splat(0);
  for (let at: usize = 0; at < bytes; at += 16) {
    const difference = f32x4.sub(v128.load(x + at), v128.load(origin + at));
    v128.store(row + at, difference);
    squares = f32x4.relaxed_madd(difference, difference, squares);
  }
  storeNorm(norm, f32x4.extract_lane(sumsOf(squares, squares, squares), 0), row, bytes);
}

/**
 * Stores the differences of updates i to i + 2 to the origin, zeros for updates that there are not, and the sums of their squares;
 * adds the distances between them, to the update before and to the first. Reading the updates costs next to nothing while the
 * products are waited for.
 */
@inline
function layBlock(n: i32, i: i32, inputs: usize, from: usize, origin: usize, bytes: usize, rows: usize, norms: usize, distances: usize): void {
  const a0 = inputAt(inputs, i, from);
  const a1 = i + 1 < n ? inputAt(inputs, i + 1, from) : origin;
  const a2 = i + 2 < n ? inputAt(inputs, i + 2, from) : origin;
  let s0 = f32x4.splat(0), s1 = f32x4.splat(0), s2 = f32x4.splat(0);
  let p0 = f32x4.splat(0), p1 = f32x4.splat(0), p2 = f32x4.splat(0);
  let q1 = f32x4.splat(0), q2 = f32x4.splat(0), r2 = f32x4.splat(0);
  for (let at: usize = 0; at < bytes; at += 16) {
    const row = rows + at;
    let y = v128.load(origin + at);
    const x0 = f32x4.sub(v128.load(a0 + at), y), x1 = f32x4.sub(v128.load(a1 + at), y), x2 = f32x4.sub(v128.load(a2 + at), y);
    y = v128.load(row - rowBytes);
    v128.store(row, x0);
    v128.store(row, x1, rowBytes);
    v128.store(row, x2, 2 * rowBytes);
    s0 = f32x4.relaxed_madd(x0, x0, s0);
    s1 = f32x4.relaxed_madd(x1, x1, s1);
    s2 = f32x4.relaxed_madd(x2, x2, s2);
    p0 = f32x4.relaxed_madd(x0, y, p0);
    p1 = f32x4.relaxed_madd(x1, y, p1);
    p2 = f32x4.relaxed_madd(x2, y, p2);
    q1 = f32x4.relaxed_madd(x1, x0, q1);
    q2 = f32x4.relaxed_madd(x2, x0, q2);
    r2 = f32x4.relaxed_madd(x2, x1, r2);
  }
  const squares = sumsOf(s0, s1, s2);
  const norm = norms + (i << 3);
  storeNorm(norm, f32x4.extract_lane(squares, 0), rows, bytes);
  storeNorm(norm + 8, f32x4.extract_lane(squares, 1), rows + rowBytes, bytes);
  storeNorm(norm + 16, f32x4.extract_lane(squares, 2), rows + 2 * rowBytes, bytes);
  for (let k = i; k < i + 3; k++) addPair(n, k, 0, 0, inputs, from, bytes, norms, distances);
  const first = sumsOf(p0, p1, p2), others = sumsOf(q1, q2, r2);
  addPair(n, i, i - 1, f32x4.extract_lane(first, 0), inputs, from, bytes, norms, distances);
  addPair(n, i + 1, i - 1, f32x4.extract_lane(first, 1), inputs, from, bytes, norms, distances);
  addPair(n, i + 2, i - 1, f32x4.extract_lane(first, 2), inputs, from, bytes, norms, distances);
  addPair(n, i + 1, i, f32x4.extract_lane(others, 0), inputs, from, bytes, norms, distances);
  addPair(n, i + 2, i, f32x4.extract_lane(others, 1), inputs, from, bytes, norms, distances);
  addPair(n, i + 2, i + 1, f32x4.extract_lane(others, 2), inputs, from, bytes, norms, distances);
}

/**
 * Adds the distances of updates i to i + 2, as far as there are so many, to j to j + 2. Nine sums keep two multipliers busy
 * while they wait for each other, and with what they are made of stay in registers.
 */
@inline
function addBlock(n: i32, i: i32, j: i32, isOrdinary: bool, inputs: usize, from: usize, bytes: usize, a: usize, b: usize, norms: usize, distances: usize): void {
  let s0 = f32x4.splat(0), s1 = f32x4.splat(0), s2 = f32x4.splat(0);
  let t0 = f32x4.splat(0), t1 = f32x4.splat(0), t2 = f32x4.splat(0);
  let u0 = f32x4.splat(0), u1 = f32x4.splat(0), u2 = f32x4.splat(0);
  for (const end = a + bytes; a < end; a += 16, b += 16) {
    const x0 = v128.load(a), x1 = v128.load(a, rowBytes), x2 = v128.load(a, 2 * rowBytes);
    let y = v128.load(b);
    s0 = f32x4.relaxed_madd(x0, y, s0);
    t0 = f32x4.relaxed_madd(x1, y, t0);
    u0 = f32x4.relaxed_madd(x2, y, u0);
    y = v128.load(b, rowBytes);
    s1 = f32x4.relaxed_madd(x0, y, s1);
    t1 = f32x4.relaxed_madd(x1, y, t1);
    u1 = f32x4.relaxed_madd(x2, y, u1);
    y = v128.load(b, 2 * rowBytes);
    s2 = f32x4.relaxed_madd(x0, y, s2);
    t2 = f32x4.relaxed_madd(x1, y, t2);
    u2 = f32x4.relaxed_madd(x2, y, u2);
  }
  const isWhole = isOrdinary && i + 2 < n;
  addThree(n, i, j, isWhole, sumsOf(s0, s1, s2), inputs, from, bytes, norms, distances);
  addThree(n, i + 1, j, isWhole, sumsOf(t0, t1, t2), inputs, from, bytes, norms, distances);
  addThree(n, i + 2, j, isWhole, sumsOf(u0, u1, u2), inputs, from, bytes, norms, distances);
}

/**
 * Adds the distances of update i to j to j + 2, whose products are given.
 *
 * @param isWhole - there is such an update, and squares fit
 */
@inline
function addThree(n: i32, i: i32, j: i32, isWhole: bool, products: v128, inputs: usize, from: usize, bytes: usize, norms: usize, distances: usize): void {
  const low = f64x2.promote_low_f32x4(products), last = upperTwo(products);
  if (isWhole) {
    const own = v128.load64_splat(norms + (i << 3)), others = norms + (j << 3);
    const two = f64x2.add(own, v128.load(others)), third = f64x2.add(own, v128.load64_splat(others, 16));
    const nearTwo = f64x2.sub(two, f64x2.add(low, low)), nearThird = f64x2.sub(third, f64x2.add(last, last));
    const share = f64x2.splat(leastShare);
    if (i64x2.all_true(v128.and(f64x2.ge(nearTwo, f64x2.mul(two, share)), f64x2.ge(nearThird, f64x2.mul(third, share))))) {
      const at = distances + ((i * n + j) << 3);
      v128.store(at, f64x2.add(v128.load(at), nearTwo));
      addTo(at + 16, f64x2.extract_lane(nearThird, 0));
      return;
    }
  }
  addPair(n, i, j, f64x2.extract_lane(low, 0), inputs, from, bytes, norms, distances);
  addPair(n, i, j + 1, f64x2.extract_lane(low, 1), inputs, from, bytes, norms, distances);
  addPair(n, i, j + 2, f64x2.extract_lane(last, 0), inputs, from, bytes, norms, distances);
}

function addPair(n: i32, i: i32, j: i32, products: f64, inputs: usize, from: usize, bytes: usize, norms: usize, distances: usize): void {
  if (i >= n) return;
  const squares = load<f64>(norms + (i << 3)) + load<f64>(norms + (j << 3));
  if (squares == 0) return;
  let distance = squares - 2 * products;
  if (!(distance >= squares * leastShare && squares > leastSquares && squares < mostSquares)) {
    distance = differenceSquares<f32>(inputAt(inputs, i, from), inputAt(inputs, j, from), bytes >>> 2);
  }
  addTo(distances + ((i * n + j) << 3), distance);
}

/** Stores the sum of the squares of a row; NaN where that is zero but the row is not. */
function storeNorm(norm: usize, squares: f32, row: usize, bytes: usize): void {
  let isZero = true;
  if (squares == 0) {
    for (const end = row + bytes; row < end && isZero; row += 16) isZero = !v128.any_true(f32x4.ne(v128.load(row), f32x4.splat(0)));
  }
  store<f64>(norm, isZero ? (squares as f64) : f64.NaN);
}

/** The sums of the lanes of three vectors of float32, in lanes 0 to 2. */
@inline
function sumsOf(first: v128, second: v128, third: v128): v128 {
  const two = f32x4.add(i32x4.shuffle(first, second, 0, 4, 1, 5), i32x4.shuffle(first, second, 2, 6, 3, 7));
  const one = f32x4.add(third, i32x4.shuffle(third, third, 2, 3, 2, 3));
  return f32x4.add(i64x2.shuffle(two, one, 0, 2), i32x4.shuffle(two, one, 2, 3, 5, 5));
}

/** Where the row of an update begins; the first has none. */
@inline
function rowOf(tile: usize, update: i32): usize {
  return tile + ((update - 1) as usize) * rowBytes;
}

@inline
function inputAt(inputs: usize, update: i32, from: usize): usize {
  return (load<u32>(inputs + (update << 2)) as usize) + from;
}

@inline
function addTo(at: usize, value: f64): void {
  store<f64>(at, load<f64>(at) + value);
}
