import { describe, expect, it } from "vitest";
import { distance, exactMean, rationalOf } from "../fed-avg.reference.js";
import { carryOut } from "./carry-out.reference.js";
import { fedAvg } from "./fed-avg.js";
import { fedProx } from "./fed-prox.js";
import { sampleUpdates, sampleValues, seeded } from "./sample-round.test-support.js";

describe("fedAvg", () => {
  it.each(["FULL", "DIFF"] as const)("is the mean weighted with numbers of samples, of %s updates", (paramsType) => {
    const next = seeded(1);
    for (let round = 0; round < 20; round++) {
      const base = { w: sampleValues(next, 5) };
      const updates = sampleUpdates(next, 1 + Math.floor(next() * 8), { w: 5 });
      const { model } = carryOut(fedAvg(), { base, updates, paramsType });
      for (let e = 0; e < 5; e++) {
        const values = updates.map(({ tensors }) => tensors["w"]?.[e] ?? Number.NaN);
        const mean = exactMean(
          values,
          updates.map(({ weight }) => weight),
        );
        const origin = paramsType === "FULL" ? 0 : (base.w[e] ?? Number.NaN);
        const largest = Math.max(...values.map(Math.abs), Math.abs(base.w[e] ?? 0));
        const result = rationalOf((model["w"]?.[e] ?? Number.NaN) - origin);
        // A rounding for each of at most 8 terms, and for the sum with the base.
        expect(distance(result, mean)).toBeLessThan(24 * 2 ** -53 * largest * 8);
      }
    }
  });
});

describe("fedProx", () => {
  it("averages as FedAvg does, and announces mu", () => {
    const strategy = fedProx({ mu: 0.01 });
    expect({ ...strategy, name: "fed-avg", settings: {} }).toEqual(fedAvg());
    expect(strategy).toMatchObject({ name: "fed-prox", settings: { mu: 0.01 } });
  });

  it.each([-0.1, 1001, Number.NaN, Number.POSITIVE_INFINITY, "1", undefined])("refuses mu of %s", (mu) => {
    expect(() => fedProx({ mu: mu as number })).toThrow(
      expect.objectContaining({
        code: "aggregate/strategy-invalid",
        message: expect.stringMatching(/^Setting "mu" of fed-prox is .*; it must be a number of at least 0 and at most 1000\.$/),
      }),
    );
  });
});
