import { blockSide, runsInSegment, wordsOfBlock } from "./kernels/squared-distances-kernel.js";

/** How the squared distances of a tile are divided among workgroups. */
export interface DistanceGrid {
  readonly updates: number;
  readonly segments: number;
  /** Blocks of updates on each side. */
  readonly blocks: number;
  readonly workgroups: readonly [segments: number, rows: number, columns: number];
  readonly resultBytes: number;
}

/** The grid for so many updates and runs. */
export function distanceGrid(updates: number, runs: number): DistanceGrid {
  const segments = Math.ceil(runs / runsInSegment);
  const blocks = Math.ceil(updates / blockSide);
  const resultBytes = ((blocks * (blocks + 1)) / 2) * segments * wordsOfBlock * 4;
  return { updates, segments, blocks, workgroups: [segments, blocks, blocks], resultBytes };
}

/** Adds up in float64 what the workgroups have summed. Gives the distance of i and j at `i * updates + j` and at `j * updates + i`. */
export function sumDistances(results: ArrayBuffer, { updates, segments, blocks }: DistanceGrid): Float64Array {
  const sums = new Float32Array(results);
  const words = new Uint32Array(results);
  const distances = new Float64Array(updates * updates);
  let at = 0;
  for (let row = 0; row < blocks; row++) {
    for (let column = row; column < blocks; column++) {
      for (let segment = 0; segment < segments; segment++, at += wordsOfBlock) {
        // Differences were multiplied by a power of two with these bits as its exponent.
        const unit = 2 ** (2 * (127 - (words[at + blockSide * blockSide] as number)));
        for (let pair = 0; pair < blockSide * blockSide; pair++) {
          const i = row * blockSide + Math.floor(pair / blockSide);
          const j = column * blockSide + (pair % blockSide);
          if (i >= j || j >= updates) continue;
          const distance = (distances[i * updates + j] as number) + (sums[at + pair] as number) * unit;
          distances[i * updates + j] = distance;
          distances[j * updates + i] = distance;
        }
      }
    }
  }
  return distances;
}
