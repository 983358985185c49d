import { type CombineDevice, type LentRows, runElements, type Tile } from "@flare-ts/aggregator";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { gridsOf, numbersFrom, sampleFactors, trainedTile } from "./sample-tiles.js";

export interface LendingDeviceComplianceInit {
  /** How the tests are headed. */
  readonly name: string;
  /** Opens a device of the kind under test; the suite closes it. */
  readonly open: () => Promise<CombineDevice>;
}

/** Holds a device that lends rows to what `CombineDevice` promises of them; call it in a test file. */
export function lendingDeviceCompliance({ name, open }: LendingDeviceComplianceInit): void {
  describe(`${name}: a device that lends rows`, () => {
    let device: CombineDevice;
    beforeAll(async () => {
      device = await open();
    });
    afterAll(() => device.close());

    const lend = async (updates: number, elements: number): Promise<LentRows> => {
      const lent = await device.lend?.(updates, elements);
      if (lent === undefined) throw new Error("The device lends nothing.");
      return lent;
    };

    /** Rows that hold what a tile does. */
    const filled = async ({ values }: Tile): Promise<LentRows> => {
      const lent = await lend(values.length, values[0]?.length ?? 0);
      for (const [i, row] of lent.values.entries()) row.set(values[i] ?? []);
      return lent;
    };

    it("combines what lies in them as what lies elsewhere, again and again, with results where they are wanted", async () => {
      const random = numbersFrom(300);
      for (const [updates, runs] of [
        [1, 1],
        [3, 5],
        [8, 16],
        [40, 2],
        [3, 5],
      ] as const) {
        const tile = trainedTile(random, updates, runs);
        const factors = sampleFactors(random, updates);
        const grids = gridsOf(tile, factors);
        const ways: readonly ((each: Tile, into?: ArrayBuffer) => Promise<ArrayLike<number | bigint>>)[] = [
          (each, into) => device.weightedSum(each, factors, into),
          (each, into) => device.exactSum(each, factors, grids, into),
          (each, into) => device.median(each, into),
          (each, into) => device.trimmedMean(each, Math.floor((updates - 1) / 2), into),
          (each) => device.squaredDistances(each),
        ];
        for (const way of ways) {
          const wanted = await way(tile);
          const lent = await filled(tile);
          const into = new ArrayBuffer(8 * runs * runElements);
          new Uint8Array(into).fill(255);
          expect(await way(lent, into)).toEqual(wanted);
          lent.release();
          expect(await way(tile, new ArrayBuffer(8))).toEqual(wanted);
        }
      }
    });

    it("takes parts of them for a tile like any other, as often as that is asked", async () => {
      const tile = trainedTile(numbersFrom(301), 5, 4);
      const half = ({ values }: Tile): Tile => ({ values: values.map((row) => row.subarray(0, 2 * runElements)) });
      const fewer = ({ values }: Tile): Tile => ({ values: values.slice(1) });
      const lent = await filled(tile);
      expect(await device.median(half(lent))).toEqual(await device.median(half(tile)));
      expect(await device.median(fewer(lent))).toEqual(await device.median(fewer(tile)));
      expect(await device.median(lent)).toEqual(await device.median(tile));
      // They are gone now.
      expect(lent.values.every((row) => row.length === 0)).toBe(true);
      lent.release();
    });

    it("lends many at once, to several who fill them, and takes back what was never used", async () => {
      const tile = trainedTile(numbersFrom(302), 4, 8);
      const wanted = await device.median(tile);
      const lent = await Promise.all(Array.from({ length: 6 }, () => filled(tile)));
      for (const unused of lent.slice(0, 2)) unused.release();
      expect(await Promise.all(lent.slice(2).map((each) => device.median(each)))).toEqual(Array.from({ length: 4 }, () => wanted));
      for (const each of lent) each.release();
    });

    it("lends nothing where it cannot have so much room, and computes all the same", async () => {
      expect(await device.lend?.(1024, 1024 * runElements)).toBeUndefined();
      const tile = trainedTile(numbersFrom(303), 3, 1);
      expect(await device.median(tile)).toHaveLength(runElements);
    });

    it("waits with closing until they are released, and lends nothing after", async () => {
      const other = await open();
      const tile = trainedTile(numbersFrom(304), 3, 2);
      const lent = await other.lend?.(3, 2 * runElements);
      for (const [i, row] of lent?.values.entries() ?? []) row.set(tile.values[i] ?? []);
      let isClosed = false;
      const closing = other.close().then(() => {
        isClosed = true;
      });
      await new Promise((resolve) => setTimeout(resolve, 20));
      expect(isClosed).toBe(false);
      for (const row of lent?.values ?? []) row.fill(1);
      await expect(other.median(lent as LentRows)).rejects.toMatchObject({ code: "aggregate/device-lost" });
      lent?.release();
      await closing;
      await expect(other.lend?.(3, runElements)).rejects.toMatchObject({ code: "aggregate/device-lost" });
    });
  });
}
