import type { CombineDevice, Tile } from "@flare-ts/aggregator";
import { gridsOf } from "./sample-tiles.js";
import { slowExactSum, slowMedian, slowSquaredDistances, slowTrimmedMean, slowWeightedSum } from "./slow-combinations.js";

/** What a device is allowed beside a rounding to float32 for each term. */
export interface DeviceTolerance {
  /** Values nearer to zero may be taken for zero. @default 2^-126, the smallest normal number */
  readonly flushedBelow?: number;
  /** Whether medians have every bit of the rule for every value; else they err by a rounding, below 2^126. @default true */
  readonly isMedianExact?: boolean;
  /** Relative error of a squared distance. @default 2^-14 */
  readonly distanceError?: number;
  /** Values are below two to this power where distances are taken; their squares must not overflow. @default 127 */
  readonly distanceExponent?: number;
}

/** Each gives the elements that a device has wrong, in words: none, or the first. */
export interface DeviceFaults {
  weightedSum(tile: Tile, factors: readonly number[]): Promise<string[]>;
  exactSum(tile: Tile, factors: readonly number[], gridBits?: Int32Array): Promise<string[]>;
  median(tile: Tile): Promise<string[]>;
  trimmedMean(tile: Tile, cut: number): Promise<string[]>;
  squaredDistances(tile: Tile): Promise<string[]>;
}

/** Compares a device with the slow combinations. */
export function deviceFaults(device: CombineDevice, tolerance: Required<DeviceTolerance>): DeviceFaults {
  const { flushedBelow, isMedianExact, distanceError } = tolerance;
  return {
    weightedSum: async (tile, factors) => {
      const { sums, magnitudes } = slowWeightedSum(tile, factors);
      const terms = tile.values.length;
      const flushed = 2 * terms * (1 + largestOf(factors)) * flushedBelow;
      // A rounding of each product and of each addition.
      const bounds = magnitudes.map((magnitude) => (terms + 1) * 2 ** -24 * magnitude + flushed);
      return faultsOf("weighted sum", await device.weightedSum(tile, factors), sums, bounds);
    },
    exactSum: async (tile, factors, gridBits = gridsOf(tile, factors)) => {
      const got = await device.exactSum(tile, factors, gridBits);
      return bitFaultsOf("exact sum", got, slowExactSum(tile, factors, gridBits));
    },
    median: async (tile) => {
      const medians = slowMedian(tile);
      const bounds = medians.map((median) => (isMedianExact ? 0 : 2 ** -23 * Math.abs(median) + 2 * flushedBelow));
      return faultsOf("median", await device.median(tile), medians, bounds);
    },
    trimmedMean: async (tile, cut) => {
      const { sums, magnitudes } = slowTrimmedMean(tile, cut);
      const terms = tile.values.length - 2 * cut;
      // The additions, the division, and its divisor's inverse where it is multiplied by that.
      const bounds = magnitudes.map((magnitude) => (terms + 2) * 2 ** -24 * magnitude + (terms + 1) * flushedBelow);
      return faultsOf("trimmed mean", await device.trimmedMean(tile, cut), sums, bounds);
    },
    squaredDistances: async (tile) => {
      const wanted = slowSquaredDistances(tile);
      const updates = tile.values.length;
      const got = await device.squaredDistances(tile);
      const flushed = (tile.values[0]?.length ?? 0) * flushedBelow;
      const bounds = wanted.map((distance) => distanceError * distance + flushed);
      const turned = got.map((_, at) => got[(at % updates) * updates + Math.floor(at / updates)] ?? Number.NaN);
      const diagonal = got.filter((_, at) => at % (updates + 1) === 0);
      return [
        ...faultsOf("squared distance", got, wanted, bounds),
        ...faultsOf("squared distance, turned round,", got, turned, new Float64Array(got.length)),
        ...faultsOf("diagonal", diagonal, new Float64Array(updates), new Float64Array(updates)),
      ];
    },
  };
}

/** Where two arrays differ, in words: nowhere, or the first place. */
export function bitFaultsOf(what: string, got: BigInt64Array, wanted: BigInt64Array): string[] {
  if (got.length !== wanted.length) return [`${what} of ${got.length} elements instead of ${wanted.length}`];
  const at = got.findIndex((value, element) => value !== wanted[element]);
  return at < 0 ? [] : [`${what} ${at} is ${got[at]} instead of ${wanted[at]}`];
}

function faultsOf(what: string, got: Float32Array | Float64Array, wanted: Float64Array, bounds: Float64Array): string[] {
  if (got.length !== wanted.length) return [`${what} of ${got.length} elements instead of ${wanted.length}`];
  // The comparison is written so that NaN is a fault.
  const at = got.findIndex((value, element) => !(Math.abs(value - (wanted[element] ?? Number.NaN)) <= (bounds[element] ?? 0)));
  return at < 0 ? [] : [`${what} ${at} is ${got[at]} instead of ${wanted[at]}, which may differ by ${bounds[at]}`];
}

function largestOf(numbers: readonly number[]): number {
  return numbers.reduce((largest, each) => Math.max(largest, Math.abs(each)), 0);
}
