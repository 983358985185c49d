import { describe, expect, it } from "vitest";
import { exactSum } from "./exact-sum.js";
import { exactSumReference } from "./exact-sum.reference.js";

/** Numbers of all magnitudes and both signs, the same at each run: bits of a 64-bit linear congruential generator. */
function numbers(count: number, seed: number, exponents: number): number[] {
  let state = BigInt(seed);
  const next = (): bigint => {
    state = (state * 6_364_136_223_846_793_005n + 1_442_695_040_888_963_407n) & 0xffff_ffff_ffff_ffffn;
    return state >> 11n;
  };
  return Array.from({ length: count }, () => {
    const exponent = Number(next() % BigInt(exponents)) - Math.floor(exponents / 2);
    return (Number(next()) / 2 ** 53 - 0.5) * 2 ** exponent;
  });
}

describe("an exact sum", () => {
  it("is what a sum without any rounding is rounded to, of numbers of all magnitudes", () => {
    for (let seed = 1; seed <= 300; seed++) {
      const some = numbers(1 + (seed % 40), seed, [4, 60, 400, 1900][seed % 4] ?? 4);
      // Much cancels, and half of what is left is halfway between two numbers.
      const all = seed % 3 === 0 ? [...some, ...some.map((one) => -one), 1, 2 ** -53, seed % 2 === 0 ? 2 ** -106 : 0] : some;
      expect(exactSum(all), `of seed ${seed}`).toBe(exactSumReference(all));
    }
  });

  it("is the same in any order", () => {
    const all = numbers(100, 7, 80);
    const sum = exactSum(all);
    for (let turn = 1; turn < all.length; turn++) expect(exactSum([...all.slice(turn), ...all.slice(0, turn)].toReversed())).toBe(sum);
  });

  it("is none of nothing, and beyond all numbers what adding gives", () => {
    expect(exactSum([])).toBe(0);
    expect(exactSum([1e308, 1e308])).toBe(Number.POSITIVE_INFINITY);
    expect(exactSum([0.1, 0.2, 0.3, -0.6])).not.toBe(0.1 + 0.2 + 0.3 - 0.6);
  });
});
