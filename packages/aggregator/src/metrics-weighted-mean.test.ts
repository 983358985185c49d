import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { metricsWeightedMean } from "./metrics-weighted-mean.js";

describe("metricsWeightedMean", () => {
  it("averages a metric over those that sent it", () => {
    const means = metricsWeightedMean([
      { contributor: "site-2", weight: 3, metrics: { loss: 1, accuracy: 0.5 } },
      { contributor: "site-1", weight: 1, metrics: { loss: 5 } },
    ]);
    expect(means).toEqual({ accuracy: 0.5, loss: 2 });
    expect(Object.keys(means)).toEqual(["accuracy", "loss"]);
  });

  it("gives the same numbers in any order of contributors", () => {
    const list = fc.uniqueArray(
      fc.record({
        contributor: fc.string(),
        weight: fc.integer({ min: 1, max: 10_000 }),
        metrics: fc.dictionary(fc.string(), fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e9, max: 1e9 }), { maxKeys: 4 }),
      }),
      { selector: ({ contributor }) => contributor, maxLength: 8 },
    );
    fc.assert(
      fc.property(
        list.chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length }))),
        ([all, shuffled]) => {
          expect(metricsWeightedMean(shuffled)).toEqual(metricsWeightedMean(all));
        },
      ),
    );
  });

  it.each([
    [[1e308, 1e308], 1e308],
    [[Number.MAX_VALUE, Number.MAX_VALUE], Number.MAX_VALUE],
    [[Number.MAX_VALUE, -Number.MAX_VALUE], -Number.MAX_VALUE / 3],
  ])("is finite as its values %j are, also where their sum is beyond float64", (values, expected) => {
    const means = metricsWeightedMean(values.map((loss, i) => ({ contributor: `site-${i}`, weight: 1000 * (i + 1), metrics: { loss } })));
    expect((means["loss"] ?? 0) / expected).toBeCloseTo(1, 14);
    expect(means["loss"]).toSatisfy(Number.isFinite);
  });

  it("is empty without contributors", () => {
    expect(metricsWeightedMean([])).toEqual({});
  });

  it("refuses NaN by name of contributor and metric, a wrong weight, and a contributor given twice", () => {
    const one = { contributor: "site-1", weight: 1, metrics: { loss: 1 } };
    expect(() => metricsWeightedMean([{ ...one, metrics: { loss: Number.NaN } }])).toThrow(
      expect.objectContaining({ code: "aggregate/not-finite", facts: { contributor: "site-1", metric: "loss", value: "NaN" } }),
    );
    expect(() => metricsWeightedMean([{ ...one, weight: 0 }])).toThrow(expect.objectContaining({ code: "aggregate/weight-invalid" }));
    expect(() => metricsWeightedMean([one, one])).toThrow(expect.objectContaining({ code: "aggregate/contributor-twice" }));
  });
});
