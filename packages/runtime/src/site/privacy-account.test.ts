import { epsilonFor } from "@flare-ts/aggregator";
import { describe, expect, it } from "vitest";
import { withCost } from "../store/privacy-cost.js";
import { accountant, costOf, type NoiseFilter } from "./privacy-account.js";

const gaussian: NoiseFilter = { kind: "GaussianPrivacy", clipNorm: 1, noiseMultiplier: 8, delta: 1e-5, epsilonBudget: undefined };
const sparse: NoiseFilter = {
  kind: "SVTPrivacy",
  fraction: 0.1,
  epsilon: 0.1,
  noiseVar: 0.1,
  gamma: 1e-5,
  tau: 1e-6,
  replace: true,
  epsilonThreshold: undefined,
  epsilonQuery: undefined,
  epsilonRelease: undefined,
  delta: 1e-5,
  epsilonBudget: undefined,
};

/** The ε of so many updates with each of some noises, of so many values. */
async function epsilonOf(updates: number, noises: readonly NoiseFilter[], values = 1000): Promise<number> {
  let spent = { rho: 0, epsilon: 0, squares: 0 };
  for (const noise of noises) {
    const cost = await costOf(noise, values);
    for (let update = 0; update < updates; update++) spent = withCost(spent, cost);
  }
  return (await accountant(gaussian))(spent);
}

describe("the account of a scope", () => {
  it("has Gaussian noise as the accountant has it", async () => {
    const expected = epsilonFor({ samplingRate: 1, noiseMultiplier: 4, steps: 10, delta: 1e-5 });
    expect(await epsilonOf(10, [gaussian])).toBeCloseTo(expected, 10);
  });

  it("has of the sparse vector technique what FLARE's accountant has: choosing and all values that leave, added up", async () => {
    // A model of 1000 values lets out 100 of them, of 0.1 each.
    expect(await epsilonOf(1, [sparse])).toBeCloseTo(10.1, 10);
    expect(await epsilonOf(3, [sparse])).toBeCloseTo(30.3, 10);
  });

  it("comes to less than the sum where there are many updates of little, as advanced composition has it", async () => {
    const small: NoiseFilter = { ...sparse, epsilonRelease: 0.01, epsilon: 0.01 };
    const epsilon = await epsilonOf(1000, [small]);
    expect(epsilon).toBeLessThan(0.5 * 1000 * 0.02);
    // Dwork, Rothblum, Vadhan, FOCS 2010, theorem III.3: a looser bound of the same thing.
    const looser = Math.sqrt(2 * 1000 * Math.log(1e5)) * 0.02 + 1000 * 0.02 * Math.expm1(0.02);
    expect(epsilon).toBeLessThan(looser);
  });

  it("adds up noises of both kinds, where a scope had one and then the other", async () => {
    const [one, other, both] = [await epsilonOf(5, [gaussian]), await epsilonOf(5, [sparse]), await epsilonOf(5, [gaussian, sparse])];
    expect(both).toBeGreaterThan(Math.max(one, other));
    expect(both).toBeLessThanOrEqual(one + other + 1e-9);
  });

  it("has nothing for a model without a value", async () => {
    expect(await epsilonOf(7, [sparse], 0)).toBe(0);
  });
});
