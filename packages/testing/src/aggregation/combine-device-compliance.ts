import { type CombineDevice, runElements, type Tile } from "@flare-ts/aggregator";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bitFaultsOf, type DeviceFaults, type DeviceTolerance, deviceFaults } from "./device-faults.js";
import { extremeTile, gridsOf, numbersFrom, sampleFactors, trainedTile } from "./sample-tiles.js";

export interface CombineDeviceComplianceInit {
  /** How the tests are headed. */
  readonly name: string;
  /** Opens a device of the kind under test; the suite closes it. It is called twice, never while another is open. */
  readonly open: () => Promise<CombineDevice>;
  /** What the device must say of itself; tests of exact sums are there only where it is true. */
  readonly isExact: boolean;
  readonly tolerance?: DeviceTolerance;
  /** Bytes that the device holds, where that can be told; the memory of this process is looked at in any case. */
  readonly heldBytes?: () => number;
}

/** Updates and runs of the tiles that are tried. */
const shapes: readonly (readonly [updates: number, runs: number])[] = [
  [1, 1],
  [2, 3],
  [3, 1],
  [5, 9],
  [8, 2],
  [16, 2],
  [17, 2],
  [33, 1],
  [63, 1],
  [64, 1],
  [100, 1],
  [130, 1],
];

/** What a process may grow by over 1,000 calls that move 250 MiB; it is the noise of the garbage collector. */
const noiseBytes = 64 * 2 ** 20;

/** Holds a device to what `CombineDevice` promises; call it in a test file. */
export function combineDeviceCompliance({ name, open, isExact, tolerance = {}, heldBytes }: CombineDeviceComplianceInit): void {
  const allowed = { flushedBelow: 2 ** -126, isMedianExact: true, distanceError: 2 ** -14, distanceExponent: 127, ...tolerance };

  describe(`${name}: a device`, () => {
    let device: CombineDevice;
    let faults: DeviceFaults;
    beforeAll(async () => {
      device = await open();
      faults = deviceFaults(device, allowed);
    });
    afterAll(() => device.close());

    /** Looks for faults in tiles of all shapes; the seeds of different tests lie apart. */
    const faultsOfShapes = async (
      seed: number,
      look: (random: () => number, updates: number, runs: number) => Promise<string[]>,
    ): Promise<string[]> => {
      const found: string[] = [];
      for (const [at, [updates, runs]] of shapes.entries()) {
        for (const fault of await look(numbersFrom(seed + at), updates, runs)) found.push(`${updates} updates of ${runs} runs: ${fault}`);
      }
      return found;
    };

    it("says what it is and how much it takes", () => {
      expect(device.name).toMatch(/^[a-z0-9-]+$/);
      expect(device.device).not.toBe("");
      expect(device.maxTileElements).toBeGreaterThanOrEqual(64 * runElements);
      expect(device.isExact).toBe(isExact);
    });

    it("sums in float32 with an error of at most a rounding a term", async () => {
      const found = await faultsOfShapes(0, async (random, updates, runs) => [
        ...(await faults.weightedSum(trainedTile(random, updates, runs), sampleFactors(random, updates))),
        ...(await faults.weightedSum(extremeTile(random, updates, runs, 96), sampleFactors(random, updates))),
      ]);
      expect(found).toEqual([]);
    });

    it("rounds factors to float32 before it sums", async () => {
      const ones = { values: [new Float32Array(runElements).fill(1)] };
      expect((await device.weightedSum(ones, [1 + 2 ** -25]))[0]).toBe(1);
      expect((await device.weightedSum(ones, [0.1]))[runElements - 1]).toBe(Math.fround(0.1));
    });

    it.each(isExact ? ["bit"] : [])("sums on a grid without a wrong %s, subnormal and huge values included", async () => {
      const found = await faultsOfShapes(100, async (random, updates, runs) => [
        ...(await faults.exactSum(trainedTile(random, updates, runs), sampleFactors(random, updates))),
        ...(await faults.exactSum(extremeTile(random, updates, runs, 128), sampleFactors(random, updates))),
        ...(await faults.exactSum(extremeTile(random, updates, runs, -100), sampleFactors(random, updates))),
      ]);
      expect(found).toEqual([]);
    });

    it.each(isExact ? ["even"] : [])("rounds terms on a grid to nearest, ties to %s", async () => {
      const halves = Float32Array.from({ length: runElements }, (_, element) => (element - runElements / 2) / 2 + (element % 7) * 2 ** -18);
      const found: string[] = [];
      for (const factor of [1, 2 ** -3, 3 * 2 ** -3, -(2 ** 29 - 1)]) {
        for (const bits of [-900, -31, -1, 0, 1, 2, 14]) {
          found.push(...(await faults.exactSum({ values: [halves] }, [factor], Int32Array.of(bits))));
        }
      }
      expect(found).toEqual([]);
    });

    it.each(isExact ? ["order"] : [])("sums on a grid to the same bits in any %s of updates", async () => {
      const random = numbersFrom(200);
      const { values } = extremeTile(random, 13, 3, 60);
      const factors = sampleFactors(random, 13);
      const grids = gridsOf({ values }, factors);
      const sums = await device.exactSum({ values }, factors, grids);
      for (let shift = 1; shift < 13; shift++) {
        const turn = <Value>(list: readonly Value[]): Value[] => [...list.slice(shift), ...list.slice(0, shift)];
        expect(bitFaultsOf("sum", await device.exactSum({ values: turn(values) }, turn(factors), grids), sums)).toEqual([]);
      }
    });

    it.each(isExact ? ["factors"] : [])("sums on a grid with the largest and the smallest %s", async () => {
      const tile = extremeTile(numbersFrom(300), 6, 2, 128);
      expect(await faults.exactSum(tile, [2 ** 100, (2 ** 29 - 1) * 2 ** 71, 2 ** -100, -(2 ** -60), 0, 1])).toEqual([]);
      expect(await faults.exactSum(tile, [2 ** -100, (2 ** 29 - 1) * 2 ** -129, 2 ** -128, -(2 ** -90), 0, 0])).toEqual([]);
    });

    it("finds the middle value, and the mean of two in the middle rounded once", async () => {
      const found = await faultsOfShapes(400, async (random, updates, runs) => [
        ...(await faults.median(trainedTile(random, updates, runs))),
        ...(await faults.median(extremeTile(random, updates, runs, allowed.isMedianExact ? 128 : 126))),
        ...(await faults.median(extremeTile(random, updates, runs, -120))),
      ]);
      expect(found).toEqual([]);
    });

    it("takes the mean of what is left when the ends are cut off", async () => {
      const found = await faultsOfShapes(500, async (random, updates, runs) => {
        const cuts = [...new Set([0, Math.floor(updates / 5), (updates - 1) >> 1])];
        const each = cuts.map(async (cut) => [
          ...(await faults.trimmedMean(trainedTile(random, updates, runs), cut)),
          ...(await faults.trimmedMean(extremeTile(random, updates, runs, 120), cut)),
        ]);
        return (await Promise.all(each)).flat();
      });
      expect(found).toEqual([]);
    });

    it("does not let what is cut off weigh", async () => {
      const { values } = trainedTile(numbersFrom(600), 9, 2);
      const ends = [3e38, -3e38].map((end) => new Float32Array(2 * runElements).fill(end));
      expect(await faults.trimmedMean({ values: [...ends, ...values] }, 1)).toEqual([]);
    });

    it("takes squared distances of all pairs", async () => {
      const found = await faultsOfShapes(700, async (random, updates, runs) => [
        ...(await faults.squaredDistances(trainedTile(random, updates, runs))),
        ...(await faults.squaredDistances(extremeTile(random, updates, runs, allowed.distanceExponent))),
      ]);
      expect(found).toEqual([]);
    });

    it("finds that equal updates have no distance", async () => {
      const { values } = trainedTile(numbersFrom(800), 1, 9);
      expect([...(await device.squaredDistances({ values: [...values, ...values.map((each) => each.slice())] }))]).toEqual([0, 0, 0, 0]);
    });

    it("computes several tiles at once as it does one after the other, and leaves them as they were", async () => {
      const random = numbersFrom(900);
      const looks = Array.from({ length: 6 }, async (_, at) => {
        const tile = trainedTile(random, 3 + at, 9 + at);
        const factors = sampleFactors(random, 3 + at);
        const before = tile.values.map((each) => each.slice());
        const found = await Promise.all([
          faults.weightedSum(tile, factors),
          isExact ? faults.exactSum(tile, factors) : [],
          faults.median(tile),
          faults.trimmedMean(tile, 1),
          faults.squaredDistances(tile),
        ]);
        expect(tile.values).toEqual(before);
        return found.flat();
      });
      expect((await Promise.all(looks)).flat()).toEqual([]);
    });

    it("takes a tile as large as it says", async () => {
      const values = new Float32Array(Math.floor(device.maxTileElements / runElements) * runElements);
      const places = [0, values.length >> 1, values.length - 1];
      for (const at of places) values[at] = 3;
      const sums = await device.weightedSum({ values: [values] }, [1]);
      expect(Buffer.compare(bytesOf(sums), bytesOf(values))).toBe(0);
      if (!isExact) return;
      const wanted = new BigInt64Array(values.length);
      for (const at of places) wanted[at] = 3n;
      const exact = await device.exactSum({ values: [values] }, [1], new Int32Array(values.length / runElements));
      expect(Buffer.compare(bytesOf(exact), bytesOf(wanted))).toBe(0);
    });

    it("refuses a tile that is too large, and goes on", async () => {
      const each = new Float32Array(Math.ceil(device.maxTileElements / 64 / runElements + 1) * runElements);
      const tile: Tile = { values: Array.from({ length: 64 }, () => each) };
      const factors = tile.values.map(() => 1);
      const refused = await Promise.allSettled([
        device.weightedSum(tile, factors),
        device.median(tile),
        device.trimmedMean(tile, 1),
        device.squaredDistances(tile),
        ...(isExact ? [device.exactSum(tile, factors, new Int32Array(each.length / runElements))] : []),
      ]);
      const reason = { name: "FlareError", code: "aggregate/device-memory" };
      for (const outcome of refused) expect(outcome).toMatchObject({ status: "rejected", reason });
      expect(await faults.median(trainedTile(numbersFrom(1000), 5, 2))).toEqual([]);
    });

    it("holds no more after 1,000 calls than before them", async () => {
      const random = numbersFrom(1100);
      const tile = trainedTile(random, 4, 64);
      const factors = sampleFactors(random, 4);
      const grids = gridsOf(tile, factors);
      const rounds = async (count: number): Promise<void> => {
        for (let round = 0; round < count; round++) {
          await Promise.all([
            device.weightedSum(tile, factors),
            isExact ? device.exactSum(tile, factors, grids) : device.weightedSum(tile, factors),
            device.median(tile),
            device.trimmedMean(tile, 1),
            device.squaredDistances(tile),
          ]);
        }
      };
      await rounds(20);
      await oneTurn();
      const [processBefore, heldBefore] = [process.memoryUsage().rss, heldBytes?.()];
      await rounds(200);
      await oneTurn();
      expect(process.memoryUsage().rss - processBefore).toBeLessThan(noiseBytes);
      expect(heldBytes?.()).toBe(heldBefore);
    });
  });

  describe(`${name}: a device that is closed`, () => {
    it("lets calls under way end or refuses them, and refuses later ones", async () => {
      const device = await open();
      const tile = trainedTile(numbersFrom(1200), 4, 9);
      const underWay = Promise.allSettled([device.median(tile), device.squaredDistances(tile)]);
      await device.close();
      const lost = { status: "rejected", reason: { code: "aggregate/device-lost" } };
      const refused = (await underWay).filter(({ status }) => status === "rejected");
      expect(refused).toMatchObject(refused.map(() => lost));
      await expect(device.median(tile)).rejects.toMatchObject({ code: "aggregate/device-lost" });
      await device.close();
    });
  });
}

/** What calls have taken may be given back in the turn of the event loop after the last of them. */
function oneTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function bytesOf(values: Float32Array | BigInt64Array): Buffer {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength);
}
