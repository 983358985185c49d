import { randomBytes } from "node:crypto";
import { strategyNames } from "@flare-ts/aggregator";
import { describe, expect, it } from "vitest";
import { createJobStrategy, strategyProblems, trainerMeta, updatesNeededBy } from "./job-strategy.js";

const components = { randomBytes };

describe("strategyProblems", () => {
  it("finds nothing in what the aggregator can make", () => {
    expect(strategyProblems({ name: "fed-adam", settings: { learningRate: 0.1, plainTensors: ["a", "b"] } })).toEqual([]);
    expect(strategyProblems({ name: "dp-fed-avg", settings: { clipNorm: 1, noiseMultiplier: 1, expectedContributors: 10 } })).toEqual([]);
  });

  it("names each setting that is wrong, with the nearest known one", () => {
    expect(strategyProblems({ name: "trimmed-mean", settings: { fractoin: 0.2 } })).toEqual([
      { setting: "fractoin", message: `trimmed-mean has no setting "fractoin"; did you mean "fraction"?` },
      { setting: "fraction", message: `Setting "fraction" of trimmed-mean is missing; it must be a number of at least 0 and below 0.5.` },
    ]);
  });

  it("names a setting that does not go with another one", () => {
    const settings = { learningRate: 0.1, biasCorrection: true, initialVariance: 1 };
    expect(strategyProblems({ name: "fed-adam", settings })).toMatchObject([{ setting: "initialVariance" }]);
  });

  it("names the strategy that was meant", () => {
    const [problem] = strategyProblems({ name: "trimed-mean", settings: {} });
    expect(problem).toMatchObject({ setting: undefined, message: expect.stringContaining(`did you mean "trimmed-mean"?`) as string });
  });

  it("refuses what these rounds would do in name only, and says why", () => {
    const refused = strategyNames.filter((name) => strategyProblems({ name, settings: {} }).some(({ setting }) => setting === undefined));
    expect(refused).toEqual(["scaffold", "scaffold-control", "scaffold-round", "fed-buff"]);
  });
});

describe("updatesNeededBy", () => {
  it.each([
    ["fed-avg", {}, 1],
    ["krum", { byzantine: 1 }, 5],
    ["multi-krum", { byzantine: 1, selected: 6 }, 7],
  ])("gives what %s needs", (name, settings, needed) => {
    expect(updatesNeededBy({ name, settings })).toBe(needed);
  });
});

describe("trainerMeta", () => {
  const prox = createJobStrategy({ name: "fed-prox", settings: { mu: "0.5" } }, components);
  const median = createJobStrategy({ name: "median", settings: {} }, components);

  it("tells trainers of mu, however the job gives it", () => {
    expect(trainerMeta(prox, undefined)).toEqual({ fedprox_mu: 0.5 });
    expect(trainerMeta(median, 0.1)).toEqual({ fedprox_mu: 0.1 });
    expect(trainerMeta(median, undefined)).toEqual({});
  });
});
