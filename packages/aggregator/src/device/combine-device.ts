/** Elements of one run of a tile: it belongs to one tensor and one grid, and begins at a multiple of this. */
export const runElements = 256;

/**
 * The same elements of several updates, laid out for a device: runs of `runElements`, the last of a tensor filled up with
 * zeros.
 */
export interface Tile {
  /** One array for each update, all of one length, a multiple of `runElements`. Not to be written to. */
  readonly values: readonly Float32Array[];
}

/** Rows of a tile that a device has lent, for somebody to fill and to hand to one of its methods. */
export interface LentRows {
  /** Hold anything at first. Where a method has taken the tile they are gone, and have no length any more. */
  readonly values: readonly Float32Array[];
  /** Gives them back; nobody may write to them by then. Has to be called, whatever became of them. */
  release(): void;
}

/**
 * What computes combinations of float32 values outside of the CPU's own engine. Everything else, files, checks, grids, integer
 * tensors, other types, server steps, is done by who calls it. Several calls may be under way at once, so that one tile is
 * uploaded while another is computed. What calls have taken on the device may be kept there for the next ones until `rest`.
 *
 * @throws each method: `aggregate/device-memory` when the device has no room for the tile, so that a smaller one may be tried,
 *   and `aggregate/device-lost` when it will not compute any more
 */
export interface CombineDevice {
  /** Stands in the engine's name, such as `webgpu`. */
  readonly name: string;
  /** What it runs on, in words: the adapter or library, and its version. */
  readonly device: string;
  /** Most elements of all updates in one tile. */
  readonly maxTileElements: number;
  /** Whether `exactSum` can be called. */
  readonly isExact: boolean;
  /**
   * Rows for a tile where the device fetches values from, so that they need not be copied there; for a device that has such a place.
   * `undefined` where there is no room for them now.
   */
  lend?(updates: number, elements: number): Promise<LentRows | undefined>;
  /**
   * Σ factors[i] × values[i], in float32, in the order of the updates; the factors are rounded to float32.
   *
   * @param into - memory for the results, which need not be taken; here and below
   */
  weightedSum(tile: Tile, factors: readonly number[], into?: ArrayBuffer): Promise<Float32Array>;
  /**
   * Σ round(factors[i] × values[i] × 2^gridBits) modulo 2^64, each term rounded to a whole number, to nearest, ties to even.
   * Products are exact: factors have at most 29 significant bits. Every |factor × value| is below 2^(51 - gridBits).
   *
   * @param gridBits - one for each run
   */
  exactSum(tile: Tile, factors: readonly number[], gridBits: Int32Array, into?: ArrayBuffer): Promise<BigInt64Array>;
  /** The middle value of each element; of an even number the mean of the two in the middle, in float32. */
  median(tile: Tile, into?: ArrayBuffer): Promise<Float32Array>;
  /** The mean in float32 of the values of each element without the `cut` smallest and the `cut` largest. */
  trimmedMean(tile: Tile, cut: number, into?: ArrayBuffer): Promise<Float32Array>;
  /** Σ (values[i] - values[j])² over the tile, for all pairs: entry `i * n + j`; symmetric, zeros on the diagonal. */
  squaredDistances(tile: Tile): Promise<Float64Array>;
  /** Gives back what is kept for later calls, which there may be all the same; for a device that keeps anything. */
  rest?(): void;
  close(): Promise<void>;
}
