import { lower, rowBytes, rowsOf, upper } from "./rows";

// Values of many updates are sorted element by element, by networks of comparators: rows are updates, and V is a vector of four
// elements or, for the last few, one.

/**
 * Sorts updates `first` to `first + 7` of n into rows of the same numbers. Those beyond n are infinite: every other one is less than
 * all, so that the middle stays the middle.
 *
 * @param inputs - addresses of the updates' elements, as u32; `from` is how many bytes further on the part begins
 * @param tile - where the rows begin, with one of -Infinity before them and one of Infinity after
 * @param bytes - of the part, in each row
 * @see D. E. Knuth, The Art of Computer Programming, volume 3, 5.3.4: 19 comparators
 */
@inline
export function sortEight<V>(n: i32, first: i32, inputs: usize, from: usize, tile: usize, bytes: usize): void {
  const x0 = input(inputs, n, first, from, tile), x1 = input(inputs, n, first + 1, from, tile);
  const x2 = input(inputs, n, first + 2, from, tile), x3 = input(inputs, n, first + 3, from, tile);
  const x4 = input(inputs, n, first + 4, from, tile), x5 = input(inputs, n, first + 5, from, tile);
  const x6 = input(inputs, n, first + 6, from, tile), x7 = input(inputs, n, first + 7, from, tile);
  const rows = tile + (first as usize) * rowBytes;
  for (let at: usize = 0; at < bytes; at += sizeof<V>()) {
    const to = rows + at;
    let v0 = load<V>(x0 + at), v1 = load<V>(x1 + at), v2 = load<V>(x2 + at), v3 = load<V>(x3 + at), v4 = load<V>(x4 + at), v5 = load<V>(x5 + at), v6 = load<V>(x6 + at), v7 = load<V>(x7 + at);
    let v: V;
    v = lower<V>(v0, v1); v1 = upper<V>(v0, v1); v0 = v; v = lower<V>(v2, v3); v3 = upper<V>(v2, v3); v2 = v;
    v = lower<V>(v4, v5); v5 = upper<V>(v4, v5); v4 = v; v = lower<V>(v6, v7); v7 = upper<V>(v6, v7); v6 = v;
    v = lower<V>(v0, v2); v2 = upper<V>(v0, v2); v0 = v; v = lower<V>(v1, v3); v3 = upper<V>(v1, v3); v1 = v;
    v = lower<V>(v4, v6); v6 = upper<V>(v4, v6); v4 = v; v = lower<V>(v5, v7); v7 = upper<V>(v5, v7); v5 = v;
    v = lower<V>(v1, v2); v2 = upper<V>(v1, v2); v1 = v; v = lower<V>(v5, v6); v6 = upper<V>(v5, v6); v5 = v;
    v = lower<V>(v0, v4); v4 = upper<V>(v0, v4); v0 = v; v = lower<V>(v3, v7); v7 = upper<V>(v3, v7); v3 = v;
    v = lower<V>(v1, v5); v5 = upper<V>(v1, v5); v1 = v; v = lower<V>(v2, v6); v6 = upper<V>(v2, v6); v2 = v;
    v = lower<V>(v1, v4); v4 = upper<V>(v1, v4); v1 = v; v = lower<V>(v3, v6); v6 = upper<V>(v3, v6); v3 = v;
    v = lower<V>(v2, v4); v4 = upper<V>(v2, v4); v2 = v; v = lower<V>(v3, v5); v5 = upper<V>(v3, v5); v3 = v;
    v = lower<V>(v3, v4); v4 = upper<V>(v3, v4); v3 = v;
    store<V>(to, v0); store<V>(to, v1, 1 * rowBytes); store<V>(to, v2, 2 * rowBytes); store<V>(to, v3, 3 * rowBytes);
    store<V>(to, v4, 4 * rowBytes); store<V>(to, v5, 5 * rowBytes); store<V>(to, v6, 6 * rowBytes); store<V>(to, v7, 7 * rowBytes);
  }
}

/**
 * Merges rows whose first eight and last eight are sorted, in place.
 *
 * @typeParam S - as many bytes long as the next of them is rows further on: a constant for the instructions
 * @param first - where the first of them begins
 * @see K. E. Batcher, "Sorting networks and their applications", 1968: 25 comparators
 */
@inline
export function mergeEights<V, S>(first: usize, bytes: usize): void {
  // Rows at even places come first and wait while those at odd places are merged: registers do not hold all at once.
  for (const end = first + bytes; first < end; first += sizeof<V>()) {
    let v: V;
    let e0 = load<V>(first), e1 = load<V>(first, 2 * apart<S>()), e2 = load<V>(first, 4 * apart<S>()), e3 = load<V>(first, 6 * apart<S>());
    let e4 = load<V>(first, 8 * apart<S>()), e5 = load<V>(first, 10 * apart<S>()), e6 = load<V>(first, 12 * apart<S>()), e7 = load<V>(first, 14 * apart<S>());
    v = lower<V>(e0, e4); e4 = upper<V>(e0, e4); e0 = v; v = lower<V>(e2, e6); e6 = upper<V>(e2, e6); e2 = v;
    v = lower<V>(e2, e4); e4 = upper<V>(e2, e4); e2 = v; v = lower<V>(e1, e5); e5 = upper<V>(e1, e5); e1 = v;
    v = lower<V>(e3, e7); e7 = upper<V>(e3, e7); e3 = v; v = lower<V>(e3, e5); e5 = upper<V>(e3, e5); e3 = v;
    v = lower<V>(e1, e2); e2 = upper<V>(e1, e2); e1 = v; v = lower<V>(e3, e4); e4 = upper<V>(e3, e4); e3 = v;
    v = lower<V>(e5, e6); e6 = upper<V>(e5, e6); e5 = v;
    let o0 = load<V>(first, 1 * apart<S>()), o1 = load<V>(first, 3 * apart<S>()), o2 = load<V>(first, 5 * apart<S>()), o3 = load<V>(first, 7 * apart<S>());
    let o4 = load<V>(first, 9 * apart<S>()), o5 = load<V>(first, 11 * apart<S>()), o6 = load<V>(first, 13 * apart<S>()), o7 = load<V>(first, 15 * apart<S>());
    v = lower<V>(o0, o4); o4 = upper<V>(o0, o4); o0 = v; v = lower<V>(o2, o6); o6 = upper<V>(o2, o6); o2 = v;
    v = lower<V>(o2, o4); o4 = upper<V>(o2, o4); o2 = v; v = lower<V>(o1, o5); o5 = upper<V>(o1, o5); o1 = v;
    v = lower<V>(o3, o7); o7 = upper<V>(o3, o7); o3 = v; v = lower<V>(o3, o5); o5 = upper<V>(o3, o5); o3 = v;
    v = lower<V>(o1, o2); o2 = upper<V>(o1, o2); o1 = v; v = lower<V>(o3, o4); o4 = upper<V>(o3, o4); o3 = v;
    v = lower<V>(o5, o6); o6 = upper<V>(o5, o6); o5 = v;
    store<V>(first, e0);
    store<V>(first, lower<V>(o0, e1), 1 * apart<S>()); store<V>(first, upper<V>(o0, e1), 2 * apart<S>());
    store<V>(first, lower<V>(o1, e2), 3 * apart<S>()); store<V>(first, upper<V>(o1, e2), 4 * apart<S>());
    store<V>(first, lower<V>(o2, e3), 5 * apart<S>()); store<V>(first, upper<V>(o2, e3), 6 * apart<S>());
    store<V>(first, lower<V>(o3, e4), 7 * apart<S>()); store<V>(first, upper<V>(o3, e4), 8 * apart<S>());
    store<V>(first, lower<V>(o4, e5), 9 * apart<S>()); store<V>(first, upper<V>(o4, e5), 10 * apart<S>());
    store<V>(first, lower<V>(o5, e6), 11 * apart<S>()); store<V>(first, upper<V>(o5, e6), 12 * apart<S>());
    store<V>(first, lower<V>(o6, e7), 13 * apart<S>()); store<V>(first, upper<V>(o6, e7), 14 * apart<S>());
    store<V>(first, o7, 15 * apart<S>());
  }
}

@inline
function apart<S>(): usize {
  return sizeof<S>() * rowBytes;
}

@inline
function input(inputs: usize, n: i32, update: i32, from: usize, tile: usize): usize {
  if (update < n) return (load<u32>(inputs + (update << 2)) as usize) + from;
  return (update - n) & 1 ? tile - rowBytes : tile + (rowsOf(n) as usize) * rowBytes;
}
