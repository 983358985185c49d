import { describe, expect, it } from "vitest";
import { carryOut } from "./carry-out.reference.js";
import { type KrumSettings, krum, type MultiKrumSettings, multiKrum } from "./krum.js";
import { bestScored, krumScores } from "./krum.reference.js";
import { sampleUpdates, seeded } from "./sample-round.test-support.js";
import type { Strategy } from "./strategy.js";

const base = { w: [0, 0, 0, 0], b: [0, 0] };
const sizes = { w: 4, b: 2 };

describe("krum", () => {
  it.each([0, 1, 2, 3])("takes the update with the smallest score, with %s faulty ones", (byzantine) => {
    const next = seeded(byzantine + 40);
    for (let round = 0; round < 20; round++) {
      const updates = sampleUpdates(next, 2 * byzantine + 3 + Math.floor(next() * 4), sizes);
      const vectors = updates.map(({ tensors }) => [...(tensors["w"] ?? []), ...(tensors["b"] ?? [])]);
      const [best = -1] = bestScored(krumScores(vectors, byzantine), 1);
      const { model } = carryOut(krum({ byzantine }), { base, updates, paramsType: "DIFF" });
      expect(model).toEqual(updates[best]?.tensors);
    }
  });

  it("never takes what a few put far away", () => {
    const honest = sampleUpdates(seeded(45), 5, sizes);
    const hostile = [1e30, -1e30].map((far, i) => ({
      contributor: `a-${i}`,
      weight: 1,
      tensors: { w: Array(4).fill(far), b: [far, far] },
    }));
    const { shares } = carryOut(krum({ byzantine: 2 }), { base, updates: [...honest, ...hostile], paramsType: "DIFF" });
    expect(shares.slice(0, 2).map(({ weight }) => weight)).toEqual([0, 0]);
  });

  it("takes the first by name among equals", () => {
    const updates = ["c", "a", "b"].map((contributor) => ({ contributor, weight: 5, tensors: { w: [1, 1, 1, 1], b: [1, 1] } }));
    const { shares } = carryOut(krum({ byzantine: 0 }), { base, updates, paramsType: "FULL" });
    expect(shares).toEqual([
      { factor: 1, weight: 1 },
      { factor: 0, weight: 0 },
      { factor: 0, weight: 0 },
    ]);
  });

  it("refuses fewer than 2f + 3 updates", () => {
    const updates = sampleUpdates(seeded(46), 4, sizes);
    expect(() => carryOut(krum({ byzantine: 1 }), { base, updates, paramsType: "DIFF" })).toThrow(
      expect.objectContaining({
        code: "aggregate/strategy-unfit",
        message: "krum needs 5 updates to stand 1 faulty ones; there are 4.",
        facts: { strategy: "krum", contributors: 4 },
      }),
    );
  });

  it("says beforehand how many updates it takes", () => {
    expect(krum({ byzantine: 2 }).minContributors).toBe(7);
    expect(multiKrum({ byzantine: 2 }).minContributors).toBe(7);
    expect(multiKrum({ byzantine: 2, selected: 9 }).minContributors).toBe(11);
  });

  it("does not guess distances that the engine did not measure", () => {
    const contributors = ["a", "b", "c"].map((contributor) => ({ contributor, weight: 1, staleness: 0, norm: undefined }));
    for (const squaredDistances of [undefined, new Float64Array(4)]) {
      expect(() => krum({ byzantine: 0 }).weigh?.({ contributors, squaredDistances })).toThrow(
        expect.objectContaining({ code: "internal/bug" }),
      );
    }
  });

  it("counts infinite distances as the largest", () => {
    const facts = {
      contributors: ["a", "b", "c", "d"].map((contributor) => ({ contributor, weight: 1, staleness: 0, norm: undefined })),
      squaredDistances: Float64Array.from(
        [
          [0, Infinity, Infinity, Infinity],
          [Infinity, 0, 3, 2],
          [Infinity, 3, 0, 1],
          [Infinity, 2, 1, 0],
        ].flat(),
      ),
    };
    const factors = (strategy: Strategy) => strategy.weigh?.(facts).map(({ factor }) => factor);
    expect(factors(krum({ byzantine: 0 }))).toEqual([0, 0, 0, 1]);
    expect(factors(multiKrum({ byzantine: 0, selected: 3 }))).toEqual([0, 1, 1, 1]);
  });

  it.each([-1, 0.5, 2047, undefined])("refuses %s faulty ones", (byzantine) => {
    expect(() => krum({ byzantine } as KrumSettings)).toThrow(
      expect.objectContaining({ code: "aggregate/strategy-invalid", message: expect.stringContaining('"byzantine" of krum') }),
    );
  });
});

describe("multiKrum", () => {
  it.each([{ byzantine: 1, selected: 3 }, { byzantine: 2, selected: 1 }, { byzantine: 2 }])(
    "averages the best scored, uniformly, with %o",
    (settings: MultiKrumSettings) => {
      const next = seeded(50);
      for (let round = 0; round < 20; round++) {
        const updates = sampleUpdates(next, 7 + Math.floor(next() * 4), sizes);
        const vectors = updates.map(({ tensors }) => [...(tensors["w"] ?? []), ...(tensors["b"] ?? [])]);
        const count = settings.selected ?? updates.length - settings.byzantine;
        const chosen = bestScored(krumScores(vectors, settings.byzantine), count);
        const { shares } = carryOut(multiKrum(settings), { base, updates, paramsType: "DIFF" });
        expect(shares).toEqual(updates.map((_, i) => (chosen.includes(i) ? { factor: 1, weight: 1 } : { factor: 0, weight: 0 })));
      }
    },
  );

  it("weighs the selected with numbers of samples when asked", () => {
    const updates = sampleUpdates(seeded(51), 5, sizes);
    const { shares } = carryOut(multiKrum({ byzantine: 1, weighting: "samples" }), { base, updates, paramsType: "DIFF" });
    const kept = shares.flatMap(({ factor, weight }, i) => (weight === 0 ? [] : [[factor, weight, updates[i]?.weight]]));
    expect(kept).toHaveLength(4);
    for (const [factor, weight, samples] of kept) expect([factor, weight]).toEqual([samples, samples]);
  });

  it("refuses to select more than can be without fault", () => {
    const updates = sampleUpdates(seeded(52), 5, sizes);
    expect(() => carryOut(multiKrum({ byzantine: 1, selected: 5 }), { base, updates, paramsType: "DIFF" })).toThrow(
      expect.objectContaining({ code: "aggregate/strategy-unfit", message: expect.stringContaining("4 at most") }),
    );
  });
});
