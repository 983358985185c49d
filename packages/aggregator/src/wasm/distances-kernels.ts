/** Bytes of a row, as in `assembly/distances.ts`. */
const rowBytes = 4416;

/** Bytes that `addDistancesF32` needs for n updates. */
export function distancesTileBytes(n: number): number {
  return Math.ceil(((n + 1) * rowBytes + 8 * (n + 2)) / 64) * 64;
}
