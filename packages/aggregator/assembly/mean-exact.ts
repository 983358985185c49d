import { finishGridF32 } from "./finish-exact";
import { stride } from "./load";
import { addInt8Between } from "./sum-exact-int8";
import { sumExactBf16From, sumExactF16From } from "./sum-short";
import { sumExactFrom } from "./sum-wide";

// What `sumExact...` and `finishGridF32` do, few elements at a time: over so many that their sums go to the second cache and back, both
// take a tenth longer. `sums` has room for 256 of them.

/** Elements whose sums stay in the first cache until they are finished; a multiple of eight. */
const elementsAtOnce: usize = 256;

export function meanExactF32(
  n: i32, sums: usize, count: usize, inputs: usize, weights: usize, grid: usize, total: f64, out: usize, limit: f64, result: usize,
): void {
  meanExact<f32>(n, sums, count, inputs, weights, grid, total, out, limit, result);
}

export function meanExactBf16(
  n: i32, sums: usize, count: usize, inputs: usize, weights: usize, grid: usize, total: f64, out: usize, limit: f64, result: usize,
): void {
  meanExact<u16>(n, sums, count, inputs, weights, grid, total, out, limit, result);
}

export function meanExactF16(
  n: i32, sums: usize, count: usize, inputs: usize, weights: usize, grid: usize, total: f64, out: usize, limit: f64, result: usize,
): void {
  meanExact<i16>(n, sums, count, inputs, weights, grid, total, out, limit, result);
}

/** @param scales, block - as for `sumExactInt8` */
export function meanExactInt8(
  n: i32, sums: usize, count: usize, inputs: usize, weights: usize, scales: usize, block: usize, grid: usize, total: f64, out: usize,
  limit: f64, result: usize,
): void {
  for (let first: usize = 0; first < count; first += elementsAtOnce) {
    const end = min(first + elementsAtOnce, count);
    addInt8Between(n, true, sums - (first << 3), first, end, inputs, weights, scales, block, grid);
    finishGridF32(n, sums, end - first, grid, total, out + (first << 2), limit, result);
  }
}

@inline
function meanExact<T>(
  n: i32, sums: usize, count: usize, inputs: usize, weights: usize, grid: usize, total: f64, out: usize, limit: f64, result: usize,
): void {
  const magic = load<f64>(grid);
  for (let first: usize = 0; first < count; first += elementsAtOnce) {
    const some = min(elementsAtOnce, count - first), from = first * stride<T>();
    if (isFloat<T>()) sumExactFrom(n, true, sums, some, inputs, from, weights, magic);
    else if (isSigned<T>()) sumExactF16From(n, true, sums, some, inputs, from, weights, magic);
    else sumExactBf16From(n, true, sums, some, inputs, from, weights, magic);
    finishGridF32(n, sums, some, grid, total, out + (first << 2), limit, result);
  }
}
