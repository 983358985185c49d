/** Bytes of a row, as in `assembly/distances.ts`. */
const rowBytes = 2368;

/** Bytes that `addDistancesF32` needs for n updates. */
export function distancesTileBytes(n: number): number {
  const rows = Math.ceil(n / 4) * 4;
  return rows * (rowBytes + 8);
}
