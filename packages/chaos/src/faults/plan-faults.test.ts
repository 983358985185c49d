import { describe, expect, it } from "vitest";
import { faultKinds } from "./fault.js";
import { planFaults } from "./plan-faults.js";

const sites = ["site-1", "site-2"];

describe("a plan of faults", () => {
  it("is the same for the same seed, begins alike when it is longer, and is another one for another seed", () => {
    const plan = planFaults({ seed: 7, count: 50, kinds: faultKinds, sites });
    expect(planFaults({ seed: 7, count: 200, kinds: faultKinds, sites }).slice(0, 50)).toEqual(plan);
    expect(planFaults({ seed: 8, count: 50, kinds: faultKinds, sites })).not.toEqual(plan);
  });

  it("gives each kind its turn before one comes again, and hits every site", () => {
    const plan = planFaults({ seed: 3, count: faultKinds.length * 4, kinds: faultKinds, sites });
    for (let turn = 0; turn < 4; turn++) {
      const kinds = plan.slice(turn * faultKinds.length, (turn + 1) * faultKinds.length).map(({ kind }) => kind);
      expect(kinds.sort()).toEqual([...faultKinds].sort());
    }
    expect(new Set(plan.map(({ site }) => site))).toEqual(new Set(sites));
  });

  it("has black holes that outlast the silence after which a link is given up, and such that do not", () => {
    const plan = planFaults({ seed: 1, count: 100, kinds: ["black-hole"], sites });
    expect(plan.some(({ durationMs }) => durationMs > 20_000)).toBe(true);
    expect(plan.some(({ durationMs }) => durationMs < 5_000)).toBe(true);
  });

  it("needs a kind", () => {
    expect(() => planFaults({ seed: 1, count: 1, kinds: [], sites })).toThrow(RangeError);
  });
});
