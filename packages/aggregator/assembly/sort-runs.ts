import { lower, rowBytes, upper } from "./rows";

// Values of many updates are sorted element by element, by networks of comparators: rows are updates, and V is a vector of four
// elements or, for the last few, one.

/**
 * Sorts updates `first` to `first + 7` of n into the rows that begin at `rows`; those beyond n are infinite.
 *
 * @param inputs - addresses of the updates' elements, as u32; `from` is how many bytes further on the part begins
 * @param missing - a row of infinities
 * @param bytes - of the part, in each row
 * @see D. E. Knuth, The Art of Computer Programming, volume 3, 5.3.4: 19 comparators
 */
@inline
export function sortEight<V>(n: i32, first: i32, inputs: usize, from: usize, missing: usize, rows: usize, bytes: usize): void {
  const x0 = input(inputs, n, first, from, missing), x1 = input(inputs, n, first + 1, from, missing);
  const x2 = input(inputs, n, first + 2, from, missing), x3 = input(inputs, n, first + 3, from, missing);
  const x4 = input(inputs, n, first + 4, from, missing), x5 = input(inputs, n, first + 5, from, missing);
  const x6 = input(inputs, n, first + 6, from, missing), x7 = input(inputs, n, first + 7, from, missing);
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

/** The same for sixteen. @see ibid., M. W. Green's network of 60 comparators */
@inline
export function sortSixteen<V>(n: i32, first: i32, inputs: usize, from: usize, missing: usize, rows: usize, bytes: usize): void {
  const x0 = input(inputs, n, first, from, missing), x1 = input(inputs, n, first + 1, from, missing);
  const x2 = input(inputs, n, first + 2, from, missing), x3 = input(inputs, n, first + 3, from, missing);
  const x4 = input(inputs, n, first + 4, from, missing), x5 = input(inputs, n, first + 5, from, missing);
  const x6 = input(inputs, n, first + 6, from, missing), x7 = input(inputs, n, first + 7, from, missing);
  const x8 = input(inputs, n, first + 8, from, missing), x9 = input(inputs, n, first + 9, from, missing);
  const x10 = input(inputs, n, first + 10, from, missing), x11 = input(inputs, n, first + 11, from, missing);
  const x12 = input(inputs, n, first + 12, from, missing), x13 = input(inputs, n, first + 13, from, missing);
  const x14 = input(inputs, n, first + 14, from, missing), x15 = input(inputs, n, first + 15, from, missing);
  for (let at: usize = 0; at < bytes; at += sizeof<V>()) {
    const to = rows + at;
    let v0 = load<V>(x0 + at), v1 = load<V>(x1 + at), v2 = load<V>(x2 + at), v3 = load<V>(x3 + at), v4 = load<V>(x4 + at), v5 = load<V>(x5 + at), v6 = load<V>(x6 + at), v7 = load<V>(x7 + at);
    let v8 = load<V>(x8 + at), v9 = load<V>(x9 + at), v10 = load<V>(x10 + at), v11 = load<V>(x11 + at), v12 = load<V>(x12 + at), v13 = load<V>(x13 + at), v14 = load<V>(x14 + at), v15 = load<V>(x15 + at);
    let v: V;
    v = lower<V>(v0, v1); v1 = upper<V>(v0, v1); v0 = v; v = lower<V>(v2, v3); v3 = upper<V>(v2, v3); v2 = v;
    v = lower<V>(v4, v5); v5 = upper<V>(v4, v5); v4 = v; v = lower<V>(v6, v7); v7 = upper<V>(v6, v7); v6 = v;
    v = lower<V>(v8, v9); v9 = upper<V>(v8, v9); v8 = v; v = lower<V>(v10, v11); v11 = upper<V>(v10, v11); v10 = v;
    v = lower<V>(v12, v13); v13 = upper<V>(v12, v13); v12 = v; v = lower<V>(v14, v15); v15 = upper<V>(v14, v15); v14 = v;
    v = lower<V>(v0, v2); v2 = upper<V>(v0, v2); v0 = v; v = lower<V>(v1, v3); v3 = upper<V>(v1, v3); v1 = v;
    v = lower<V>(v4, v6); v6 = upper<V>(v4, v6); v4 = v; v = lower<V>(v5, v7); v7 = upper<V>(v5, v7); v5 = v;
    v = lower<V>(v8, v10); v10 = upper<V>(v8, v10); v8 = v; v = lower<V>(v9, v11); v11 = upper<V>(v9, v11); v9 = v;
    v = lower<V>(v12, v14); v14 = upper<V>(v12, v14); v12 = v; v = lower<V>(v13, v15); v15 = upper<V>(v13, v15); v13 = v;
    v = lower<V>(v0, v4); v4 = upper<V>(v0, v4); v0 = v; v = lower<V>(v1, v5); v5 = upper<V>(v1, v5); v1 = v;
    v = lower<V>(v2, v6); v6 = upper<V>(v2, v6); v2 = v; v = lower<V>(v3, v7); v7 = upper<V>(v3, v7); v3 = v;
    v = lower<V>(v8, v12); v12 = upper<V>(v8, v12); v8 = v; v = lower<V>(v9, v13); v13 = upper<V>(v9, v13); v9 = v;
    v = lower<V>(v10, v14); v14 = upper<V>(v10, v14); v10 = v; v = lower<V>(v11, v15); v15 = upper<V>(v11, v15); v11 = v;
    v = lower<V>(v0, v8); v8 = upper<V>(v0, v8); v0 = v; v = lower<V>(v1, v9); v9 = upper<V>(v1, v9); v1 = v;
    v = lower<V>(v2, v10); v10 = upper<V>(v2, v10); v2 = v; v = lower<V>(v3, v11); v11 = upper<V>(v3, v11); v3 = v;
    v = lower<V>(v4, v12); v12 = upper<V>(v4, v12); v4 = v; v = lower<V>(v5, v13); v13 = upper<V>(v5, v13); v5 = v;
    v = lower<V>(v6, v14); v14 = upper<V>(v6, v14); v6 = v; v = lower<V>(v7, v15); v15 = upper<V>(v7, v15); v7 = v;
    v = lower<V>(v5, v10); v10 = upper<V>(v5, v10); v5 = v; v = lower<V>(v6, v9); v9 = upper<V>(v6, v9); v6 = v;
    v = lower<V>(v3, v12); v12 = upper<V>(v3, v12); v3 = v; v = lower<V>(v13, v14); v14 = upper<V>(v13, v14); v13 = v;
    v = lower<V>(v4, v8); v8 = upper<V>(v4, v8); v4 = v; v = lower<V>(v7, v11); v11 = upper<V>(v7, v11); v7 = v;
    v = lower<V>(v1, v2); v2 = upper<V>(v1, v2); v1 = v;
    v = lower<V>(v1, v4); v4 = upper<V>(v1, v4); v1 = v; v = lower<V>(v7, v13); v13 = upper<V>(v7, v13); v7 = v;
    v = lower<V>(v2, v8); v8 = upper<V>(v2, v8); v2 = v; v = lower<V>(v11, v14); v14 = upper<V>(v11, v14); v11 = v;
    v = lower<V>(v2, v4); v4 = upper<V>(v2, v4); v2 = v; v = lower<V>(v5, v6); v6 = upper<V>(v5, v6); v5 = v;
    v = lower<V>(v9, v10); v10 = upper<V>(v9, v10); v9 = v; v = lower<V>(v11, v13); v13 = upper<V>(v11, v13); v11 = v;
    v = lower<V>(v3, v8); v8 = upper<V>(v3, v8); v3 = v; v = lower<V>(v7, v12); v12 = upper<V>(v7, v12); v7 = v;
    v = lower<V>(v6, v8); v8 = upper<V>(v6, v8); v6 = v; v = lower<V>(v10, v12); v12 = upper<V>(v10, v12); v10 = v;
    v = lower<V>(v3, v5); v5 = upper<V>(v3, v5); v3 = v; v = lower<V>(v7, v9); v9 = upper<V>(v7, v9); v7 = v;
    v = lower<V>(v3, v4); v4 = upper<V>(v3, v4); v3 = v; v = lower<V>(v5, v6); v6 = upper<V>(v5, v6); v5 = v;
    v = lower<V>(v7, v8); v8 = upper<V>(v7, v8); v7 = v; v = lower<V>(v9, v10); v10 = upper<V>(v9, v10); v9 = v;
    v = lower<V>(v11, v12); v12 = upper<V>(v11, v12); v11 = v;
    v = lower<V>(v6, v7); v7 = upper<V>(v6, v7); v6 = v; v = lower<V>(v8, v9); v9 = upper<V>(v8, v9); v8 = v;
    store<V>(to, v0); store<V>(to, v1, 1 * rowBytes); store<V>(to, v2, 2 * rowBytes); store<V>(to, v3, 3 * rowBytes);
    store<V>(to, v4, 4 * rowBytes); store<V>(to, v5, 5 * rowBytes); store<V>(to, v6, 6 * rowBytes); store<V>(to, v7, 7 * rowBytes);
    store<V>(to, v8, 8 * rowBytes); store<V>(to, v9, 9 * rowBytes); store<V>(to, v10, 10 * rowBytes); store<V>(to, v11, 11 * rowBytes);
    store<V>(to, v12, 12 * rowBytes); store<V>(to, v13, 13 * rowBytes); store<V>(to, v14, 14 * rowBytes); store<V>(to, v15, 15 * rowBytes);
  }
}

@inline
function input(inputs: usize, n: i32, update: i32, from: usize, missing: usize): usize {
  return update < n ? (load<u32>(inputs + (update << 2)) as usize) + from : missing;
}
