import { finishGridF32 } from "./finish-exact";
import { sumExactFrom } from "./sum-wide";

/** Elements whose sums stay in the first cache until they are finished; a multiple of four. */
const elementsAtOnce: usize = 256;

/**
 * What `sumExactF32` and `finishGridF32` do, few elements at a time: over so many that their sums go to the second cache and back, both
 * take a tenth longer.
 *
 * @param sums - room for 256 of them
 */
export function meanExactF32(
  n: i32, sums: usize, count: usize, inputs: usize, weights: usize, grid: usize, total: f64, out: usize, limit: f64, result: usize,
): void {
  const magic = load<f64>(grid);
  for (let first: usize = 0; first < count; first += elementsAtOnce) {
    const some = min(elementsAtOnce, count - first);
    sumExactFrom(n, true, sums, some, inputs, first << 2, weights, magic);
    finishGridF32(n, sums, some, grid, total, out + (first << 2), limit, result);
  }
}
