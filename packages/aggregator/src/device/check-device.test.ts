import { describe, expect, it } from "vitest";
import { faultOfDevice } from "./check-device.js";
import type { CombineDevice, Tile } from "./combine-device.js";

/** The rules in whole numbers without end; `change` spoils an element. */
function deviceThat(change: { readonly sum?: (sum: bigint) => bigint; readonly median?: (median: number) => number }): CombineDevice {
  const { sum = (each) => each, median = (each) => each } = change;
  const elements = ({ values }: Tile): number[][] => Array.from(values[0] ?? [], (_, at) => values.map((each) => each[at] ?? 0));
  const refuse = (): never => expect.fail("only exact sums and medians are looked at");
  return {
    name: "rules",
    device: "plain JavaScript",
    maxTileElements: 2 ** 20,
    isExact: true,
    exactSum: async (tile, factors, gridBits) => {
      const sums = elements(tile).map((each, at) => each.map((value, update) => term(value, factors[update] ?? 0, gridBits[at >> 8] ?? 0)));
      return BigInt64Array.from(sums, (terms, at) => {
        const total = terms.reduce((a, b) => a + b, 0n);
        return at === 511 ? sum(total) : total;
      });
    },
    median: async (tile) =>
      Float32Array.from(elements(tile), (each, at) => {
        const [, lower = 0, upper = 0] = each.toSorted((a, b) => a - b);
        return at === 511 ? median((lower + upper) / 2) : (lower + upper) / 2;
      }),
    weightedSum: refuse,
    trimmedMean: refuse,
    squaredDistances: refuse,
    close: refuse,
  };
}

/** round(factor × value × 2^gridBits), in units of 2^-400. */
function term(value: number, factor: number, gridBits: number): bigint {
  const product = BigInt(value * 2 ** 200) * BigInt(factor * 2 ** 200);
  const unit = 1n << BigInt(400 - gridBits);
  const floor = product >> BigInt(400 - gridBits);
  const twice = 2n * (product - floor * unit);
  return twice > unit || (twice === unit && floor % 2n !== 0n) ? floor + 1n : floor;
}

describe("a device", () => {
  it("that keeps to the rules has no fault", async () => {
    expect(await faultOfDevice(deviceThat({}))).toBeUndefined();
  });

  it("that has one bit wrong has one", async () => {
    expect(await faultOfDevice(deviceThat({ sum: (sum) => sum ^ 1n }))).toMatch(/^an exact sum came out as -?\d+ instead of -?\d+$/);
    expect(await faultOfDevice(deviceThat({ median: (median) => median * (1 + 2 ** -23) }))).toMatch(/^a median came out as .+ instead of/);
  });

  it("that loses subnormal numbers has one", async () => {
    expect(await faultOfDevice(deviceThat({ median: (median) => (Math.abs(median) < 1e-30 ? 0 : median) }))).toMatch(/^a median/);
  });
});
