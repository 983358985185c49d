import { describe, expect, it } from "vitest";
import { NormFilter } from "./norm-filter.js";

/** Random bytes of which noise of 0 is made. */
const silence = (count: number): Uint8Array => new Uint8Array(count).fill(255);

function lengthOf(values: Float64Array, filter: NormFilter): number {
  filter.look(values);
  filter.looked();
  filter.change(values);
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
}

describe("a norm that noise is measured by", () => {
  it("is not exceeded by the rounding that goes before the noise, when all values are rounded up", () => {
    const multiplier = 1000;
    const count = 2 ** 20;
    // The grid of noise of a deviation of about 1000 has steps of 2^-21: 2048.6 of them in each value of an update of this norm.
    const maxNorm = 1 + 0.6 / 2048;
    const values = new Float64Array(count).fill(2048.5001 * 2 ** -21);
    expect(lengthOf(values.slice(), new NormFilter({ maxNorm }))).toBeCloseTo(2048.5001 / 2048, 9);
    expect(lengthOf(values, new NormFilter({ maxNorm, noise: { multiplier, randomBytes: silence } }))).toBeLessThanOrEqual(maxNorm);
  });

  it.each([
    ["no values", [], 0],
    ["zeros", [0, -0], 0],
    ["values whose squares are beyond float64", [1e200, -1e300], 0],
    ["the smallest value", [5e-324], 5e-324],
    ["a large value", [1e150], 1],
  ])("holds for %s", (_, values, norm) => {
    expect(lengthOf(Float64Array.from(values), new NormFilter({ maxNorm: 1 }))).toBeCloseTo(norm, 7);
  });
});
