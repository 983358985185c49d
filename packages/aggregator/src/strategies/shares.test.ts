import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { exponentAbove } from "../exact/weight.js";
import { checkShares } from "./check-shares.js";
import { roundedFactor, sampleShares, uniformShares } from "./shares.js";

const facts = {
  contributors: [3, 5].map((weight, i) => ({ contributor: `site-${i}`, weight, staleness: 0, norm: undefined })),
  squaredDistances: undefined,
};

describe("sampleShares and uniformShares", () => {
  it("count samples, or everyone the same", () => {
    expect(sampleShares(facts)).toEqual([
      { factor: 3, weight: 3 },
      { factor: 5, weight: 5 },
    ]);
    expect(uniformShares(facts)).toEqual([
      { factor: 1, weight: 1 },
      { factor: 1, weight: 1 },
    ]);
  });
});

describe("roundedFactor", () => {
  it("keeps 29 significant bits, of either sign", () => {
    fc.assert(
      fc.property(fc.double({ min: 2 ** -100, max: 2 ** 100, noNaN: true }), (factor) => {
        const rounded = roundedFactor(factor);
        const unit = 2 ** (exponentAbove(factor) - 29);
        expect(Number.isInteger(rounded / unit)).toBe(true);
        expect(Math.abs(rounded - factor)).toBeLessThanOrEqual(unit / 2);
        expect(roundedFactor(-factor)).toBe(-rounded);
      }),
    );
  });

  it("is 0 for what is too small, and refuses what is too large or no number", () => {
    expect([roundedFactor(0), roundedFactor(2 ** -101), roundedFactor(-(2 ** -1000))]).toEqual([0, 0, 0]);
    for (const factor of [2 ** 101, Number.NaN, -Infinity]) {
      expect(() => roundedFactor(factor)).toThrow(expect.objectContaining({ code: "internal/bug" }));
    }
  });
});

describe("checkShares", () => {
  it("lets through what an engine can compute with", () => {
    for (const shares of [
      [
        { factor: 0, weight: 0 },
        { factor: -2, weight: 1 },
      ],
      [
        { factor: 0, weight: 3 },
        { factor: 2 ** -100, weight: 2 ** 100 },
      ],
    ]) {
      expect(checkShares("mine", facts, shares, false)).toBe(shares);
    }
    const withoutWeights = [
      { factor: 1, weight: 0 },
      { factor: 0, weight: 0 },
    ];
    expect(checkShares("mine", facts, withoutWeights, true)).toBe(withoutWeights);
  });

  it.each([
    ["no list", undefined, "mine gave no list of shares for 2 contributors."],
    ["too few", [{ factor: 1, weight: 1 }], "mine gave 1 shares for 2 contributors."],
    ["a missing one", [undefined, { factor: 1, weight: 1 }], 'mine gave "site-0" the factor undefined; it must be'],
    [
      "NaN",
      [
        { factor: 1, weight: 1 },
        { factor: Number.NaN, weight: 1 },
      ],
      'mine gave "site-1" the factor NaN; it must be',
    ],
    [
      "a huge factor",
      [
        { factor: 1, weight: 1 },
        { factor: 1e40, weight: 1 },
      ],
      'mine gave "site-1" the factor 1e+40; it must be',
    ],
    [
      "a negative weight",
      [
        { factor: 1, weight: 1 },
        { factor: 1, weight: -1 },
      ],
      'mine gave "site-1" the weight -1; it must be',
    ],
    [
      "a factor without weight",
      [
        { factor: 1, weight: 1 },
        { factor: 1, weight: 0 },
      ],
      'mine gave "site-1" the weight 0 with the factor 1;',
    ],
    [
      "nothing",
      [
        { factor: 0, weight: 0 },
        { factor: 0, weight: 0 },
      ],
      "mine left all 2 contributors out.",
    ],
  ])("refuses %s", (_case, shares, message) => {
    expect(() => checkShares("mine", facts, shares as never, false)).toThrow(
      expect.objectContaining({ code: "aggregate/strategy-unfit", message: expect.stringContaining(message) }),
    );
  });
});
