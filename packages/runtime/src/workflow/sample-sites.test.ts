import { describe, expect, it } from "vitest";
import { sampleSites } from "./sample-sites.js";

const sites = ["site-1", "site-2", "site-3", "site-4", "site-5"];

describe("sampleSites", () => {
  it("takes all sites, sorted, where as many are asked for as there are", () => {
    expect(sampleSites(sites.toReversed(), { seed: 1, round: 0, size: 5 })).toEqual(sites);
    expect(sampleSites(sites, { seed: 1, round: 0, size: 9 })).toEqual(sites);
  });

  it("draws the same sites again, in whatever order they are given", () => {
    const drawn = sampleSites(sites, { seed: 7, round: 3, size: 2 });
    expect(drawn).toHaveLength(2);
    expect(sampleSites(sites.toReversed(), { seed: 7, round: 3, size: 2 })).toEqual(drawn);
  });

  it("keeps its draws from release to release", () => {
    expect([0, 1, 2, 3].map((round) => sampleSites(sites, { seed: 42, round, size: 2 }))).toMatchInlineSnapshot(`
      [
        [
          "site-2",
          "site-5",
        ],
        [
          "site-4",
          "site-5",
        ],
        [
          "site-2",
          "site-5",
        ],
        [
          "site-3",
          "site-5",
        ],
      ]
    `);
  });

  it("draws every site about as often as the others", () => {
    const counts = new Map(sites.map((site) => [site, 0]));
    for (let round = 0; round < 5000; round++) {
      for (const site of sampleSites(sites, { seed: 3, round, size: 2 })) counts.set(site, (counts.get(site) ?? 0) + 1);
    }
    // 2000 expected; five standard deviations are 173.
    for (const count of counts.values()) expect(Math.abs(count - 2000)).toBeLessThan(173);
  });
});
