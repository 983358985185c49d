import { describe, expect, it } from "vitest";
import { carryOut, factsOf, type ReferenceUpdate } from "./carry-out.reference.js";
import { type GeometricMedianSettings, geometricMedian } from "./geometric-median.js";
import { distanceBetween, sumOfDistances, weiszfeld } from "./geometric-median.reference.js";
import { sampleUpdates, seeded } from "./sample-round.test-support.js";

const size = 6;
const base = { w: Array(size).fill(0) };

function vectorsOf(updates: readonly ReferenceUpdate[]): readonly (readonly number[])[] {
  return updates.map(({ tensors }) => tensors["w"] ?? []);
}

function median(updates: readonly ReferenceUpdate[], settings: GeometricMedianSettings = {}): readonly number[] {
  return carryOut(geometricMedian(settings), { base, updates, paramsType: "DIFF" }).model["w"] ?? [];
}

describe("geometricMedian", () => {
  it.each(["uniform", "samples"] as const)("is what Weiszfeld's algorithm finds on the vectors, with %s weights", (weighting) => {
    const next = seeded(60);
    for (let round = 0; round < 15; round++) {
      const updates = sampleUpdates(next, 3 + Math.floor(next() * 10), { w: size });
      const vectors = vectorsOf(updates);
      const weights = updates.map(({ weight }) => (weighting === "samples" ? weight : 1));
      const expected = weiszfeld(vectors, weights, { smoothing: 1e-6, iterations: 5000 });
      const got = median(updates, { weighting, iterations: 5000, tolerance: 1e-12 });
      const spread = Math.max(...vectors.map((vector) => distanceBetween(vector, expected)));
      // Shares are rounded to 29 bits; where the median is one of the vectors, the last steps towards it are short.
      expect(distanceBetween(got, expected)).toBeLessThan(1e-5 * spread);
      expect(sumOfDistances(got, vectors, weights)).toBeLessThanOrEqual(sumOfDistances(expected, vectors, weights) * (1 + 1e-8));
    }
  });

  it("takes the same steps as the vectors would, from the same point", () => {
    // Of two vectors the beginning is the mean, which is where the reference begins as well.
    const updates = sampleUpdates(seeded(61), 2, { w: size });
    const expected = weiszfeld(vectorsOf(updates), [1, 1], { smoothing: 1e-6, iterations: 3 });
    expect(distanceBetween(median(updates, { iterations: 3 }), expected)).toBeLessThan(
      2 ** -27 * distanceBetween(expected, Array(size).fill(0)) + 1e-9,
    );
  });

  it("comes within a part in a million of the least sum with its defaults", () => {
    const next = seeded(62);
    for (let round = 0; round < 20; round++) {
      const updates = sampleUpdates(next, 5 + Math.floor(next() * 20), { w: size });
      const vectors = vectorsOf(updates);
      const weights = updates.map(() => 1);
      const least = sumOfDistances(weiszfeld(vectors, weights, { smoothing: 1e-6, iterations: 5000 }), vectors, weights);
      expect(sumOfDistances(median(updates), vectors, weights)).toBeLessThanOrEqual(least * (1 + 1e-6));
    }
  });

  it.each([1e3, 1e9, 1e20, 1e37])("stays among the honest when 4 of 9 send values around %s", (far) => {
    const next = seeded(63);
    const honest = Array.from({ length: 5 }, (_, i) => ({
      contributor: `honest-${i}`,
      weight: 1,
      tensors: { w: Array.from({ length: size }, () => next() - 0.5) },
    }));
    const hostile = Array.from({ length: 4 }, (_, i) => ({
      contributor: `far-${i}`,
      weight: 1,
      tensors: { w: Array.from({ length: size }, () => far * (1 + next())) },
    }));
    const centre = weiszfeld(vectorsOf(honest), [1, 1, 1, 1, 1], { smoothing: 1e-6, iterations: 1000 });
    const diameter = Math.max(...vectorsOf(honest).flatMap((a) => vectorsOf(honest).map((b) => distanceBetween(a, b))));
    // Theory bounds it by 2 (n - f) / (n - 2f) = 10 radii; the pull of those far away all points one way here.
    expect(distanceBetween(median([...honest, ...hostile]), centre)).toBeLessThan(5 * diameter);
  });

  it("gives shares that add up as means do, and the same whatever the unit", () => {
    const updates = sampleUpdates(seeded(64), 8, { w: size });
    const { shares } = carryOut(geometricMedian(), { base, updates, paramsType: "DIFF" });
    for (const { factor, weight } of shares) expect(factor).toBe(weight);
    expect(shares.reduce((sum, { weight }) => sum + weight, 0)).toBeCloseTo(1, 7);
    const larger = updates.map((update) => ({ ...update, tensors: { w: (update.tensors["w"] ?? []).map((value) => value * 1024) } }));
    const scaled = carryOut(geometricMedian({ smoothing: 1024e-6 }), { base, updates: larger, paramsType: "DIFF" });
    expect(scaled.shares).toEqual(shares);
  });

  it("is the only update, the point of two equal ones, and the middle of two", () => {
    const one = [{ contributor: "a", weight: 4, tensors: { w: [1, 2, 3, 4, 5, 6] } }];
    expect(median(one)).toEqual([1, 2, 3, 4, 5, 6]);
    const other = { contributor: "b", weight: 9, tensors: { w: Array(size).fill(0) } };
    expect(median([...one, other])).toEqual([0.5, 1, 1.5, 2, 2.5, 3]);
    const equal = [...one, { ...other, tensors: { w: [1, 2, 3, 4, 5, 6] } }];
    expect(median(equal)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it.each([1e-300, 5e-324])("is the point of a majority of equal ones when hardly anything is smoothed, by %s", (smoothing) => {
    const equal = ["a", "b", "c"].map((contributor) => ({ contributor, weight: 4, tensors: { w: [1, 2, 3, 4, 5, 6] } }));
    const other = { contributor: "d", weight: 9, tensors: { w: Array(size).fill(0) } };
    expect(median([...equal, other], { smoothing, weighting: "samples" })).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it("leaves out what is beyond float64, and refuses when that is half or more", () => {
    const near = ["a", "b", "c"].map((contributor, i) => ({ contributor, weight: 1, tensors: { w: Array(size).fill(i) } }));
    const beyond = { contributor: "d", weight: 1, tensors: { w: Array(size).fill(1e300) } };
    const { shares } = carryOut(geometricMedian(), { base, updates: [...near, beyond], paramsType: "DIFF" });
    expect(shares[3]).toEqual({ factor: 0, weight: 0 });
    const facts = factsOf({ needs: { distances: true } }, [...near.slice(0, 1), beyond], base, "DIFF");
    expect(() => geometricMedian().weigh?.(facts)).toThrow(expect.objectContaining({ code: "aggregate/strategy-unfit" }));
  });

  it.each([{ iterations: 0 }, { iterations: 1.5 }, { tolerance: -1 }, { smoothing: 0 }, { smoothing: 2e6 }])("refuses %o", (settings) => {
    expect(() => geometricMedian(settings)).toThrow(
      expect.objectContaining({
        code: "aggregate/strategy-invalid",
        message: expect.stringContaining(`"${Object.keys(settings)[0]}" of geometric-median is ${Object.values(settings)[0]}; it must be`),
      }),
    );
  });
});
