/** Bytes of a row: the elements of one update that are worked on at a time. No power of two, whose rows would share few places of a cache. */
export const rowBytes: usize = 576;

/** Rows for n updates: as they are sorted by eights, a multiple of eight. */
@inline
export function rowsOf(n: i32): i32 {
  return (n + 7) & ~7;
}

/** The smaller of two numbers, in each lane. */
@inline
export function lower<V>(a: V, b: V): V {
  if (isVector<V>()) return f32x4.pmin(a, b);
  return b < a ? b : a;
}

/** The larger. */
@inline
export function upper<V>(a: V, b: V): V {
  if (isVector<V>()) return f32x4.pmax(a, b);
  return a < b ? b : a;
}
