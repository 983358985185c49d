import type { CombineDevice } from "@flare-ts/aggregator";
import { expect, it } from "vitest";
import { deviceFaults } from "./device-faults.js";
import { gridsOf, numbersFrom, sampleFactors, trainedTile } from "./sample-tiles.js";
import { slowExactSum, slowMedian, slowSquaredDistances, slowTrimmedMean, slowWeightedSum } from "./slow-combinations.js";

/** A device that is nothing but the rules, but for what is done to its results. */
function slowDevice(spoil: <Results extends ArrayLike<number | bigint>>(results: Results) => Results): CombineDevice {
  return {
    name: "slow",
    device: "plain JavaScript",
    maxTileElements: 2 ** 20,
    isExact: true,
    weightedSum: async (tile, factors) => spoil(new Float32Array(slowWeightedSum(tile, factors).sums)),
    exactSum: async (tile, factors, gridBits) => spoil(slowExactSum(tile, factors, gridBits)),
    median: async (tile) => spoil(new Float32Array(slowMedian(tile))),
    trimmedMean: async (tile, cut) => spoil(new Float32Array(slowTrimmedMean(tile, cut).sums)),
    squaredDistances: async (tile) => spoil(slowSquaredDistances(tile)),
    close: async () => {},
  };
}

const tolerance = { flushedBelow: 0, isMedianExact: true, distanceError: 2 ** -14, distanceExponent: 127 };

async function faultyMethods(device: CombineDevice): Promise<string[]> {
  const faults = deviceFaults(device, tolerance);
  const random = numbersFrom(7);
  const tile = trainedTile(random, 3, 2);
  const factors = sampleFactors(random, 3);
  const found = {
    weightedSum: await faults.weightedSum(tile, factors),
    exactSum: await faults.exactSum(tile, factors, gridsOf(tile, factors)),
    median: await faults.median(tile),
    trimmedMean: await faults.trimmedMean(tile, 1),
    squaredDistances: await faults.squaredDistances(tile),
  };
  return Object.entries(found).flatMap(([method, each]) => (each.length > 0 ? [method] : []));
}

it("the rules themselves have no fault", async () => {
  expect(await faultyMethods(slowDevice((results) => results))).toEqual([]);
});

it("one wrong element is found, in each method", async () => {
  const device = slowDevice((results) => {
    const spoilt = results as unknown as { [element: number]: number | bigint };
    const last = results.length - 2;
    const value = spoilt[last];
    spoilt[last] = typeof value === "bigint" ? value + 1n : (value ?? 0) * (1 + 2 ** -12);
    return results;
  });
  expect(await faultyMethods(device)).toEqual(["weightedSum", "exactSum", "median", "trimmedMean", "squaredDistances"]);
});
