import { describe, expect, it } from "vitest";
import { seeded, seededBytes } from "../strategies/sample-round.test-support.js";
import { svtBudget } from "./svt-budget.js";
import { SvtFilter, type SvtFilterInit } from "./svt-filter.js";
import { laplaceBelow, literalSvt, type PlainSvt, plainSvt } from "./svt-filter.reference.js";

type Settings = Omit<SvtFilterInit, "randomBytes">;

const flareDefaults: Settings = { fraction: 0.1, epsilon: 0.1, noiseVar: 0.1, gamma: 1e-5, tau: 1e-6, replace: true };

/** What leaves of values that come in chunks of such a size. */
function filtered(values: readonly number[], settings: Settings, randomBytes: (count: number) => Uint8Array, chunk = values.length) {
  const filter = new SvtFilter({ ...settings, randomBytes }, values.length);
  const all = Float64Array.from(values);
  const chunks: Float64Array[] = [];
  for (let at = 0; at < all.length; at += chunk) chunks.push(all.subarray(at, at + chunk));
  for (let turn = 0; turn < filter.looks; turn++) {
    for (const part of chunks) filter.look(part, turn);
    filter.looked(turn);
  }
  for (const part of chunks) filter.change(part);
  return [...all];
}

const plainOf = (settings: Settings, values: number): PlainSvt => {
  const { gamma, tau } = settings;
  return { ...svtBudget(settings, values), gamma, tau };
};

describe("the sparse vector technique", () => {
  it("is what the reference makes of the same random bytes, for values, settings and chunks of all kinds", () => {
    const next = seeded(11);
    const between = (low: number, high: number): number => low * (high / low) ** next();
    for (let run = 0; run < 300; run++) {
      const gamma = between(1e-6, 10);
      const values = Array.from({ length: 1 + Math.floor(next() * 300) }, () => (next() - 0.5) * gamma * between(1e-2, 1e2));
      const settings: Settings = {
        fraction: next() < 0.1 ? 1 : between(1e-3, 1),
        epsilon: between(1e-2, 1e4),
        noiseVar: between(1e-3, 1e3),
        gamma,
        tau: (next() - 0.2) * 2 * gamma,
        replace: next() < 0.5,
        ...(next() < 0.5 ? { epsilonRelease: between(1e-2, 1e6) } : {}),
      };
      const wanted = plainSvt(values, { ...plainOf(settings, values.length), replace: settings.replace }, seededBytes(run)(128));
      const left = filtered(values, settings, seededBytes(run), 1 + Math.floor(next() * 100));
      expect(left.map((value) => value !== 0)).toEqual(wanted.map((value) => value !== 0));
      for (const [i, value] of left.entries()) expect(value).toBeCloseTo(wanted[i] ?? Number.NaN, 9 - Math.log10(gamma));
    }
  });

  it("lets out the share that was asked for, to the last one, however many there are in a pass", () => {
    const values = Array.from({ length: 200_001 }, (_, i) => Math.sin(i) * 1e-5);
    const left = filtered(values, { ...flareDefaults, replace: false }, seededBytes(3), 65_536);
    expect(left.filter((value) => value !== 0)).toHaveLength(20_001);
    const some = filtered(values, flareDefaults, seededBytes(3)).filter((value) => value !== 0).length;
    // Of so many draws with replacement 1 - 1/e of the things are hit, off by 0.31 times the root of their number; five times that.
    expect(Math.abs(some - 20_001 * (1 - 1 / Math.E))).toBeLessThan(5 * 0.31 * Math.sqrt(20_001));
  });

  it("chooses as algorithm 7 does when it is carried out to the letter", () => {
    const values = [0, 0.2, -0.4, 0.7, -0.9, 3];
    const runs = 1500;
    for (const settings of [
      { epsilon: 30, tau: 0.5 },
      { epsilon: 60, tau: 0.8 },
      { epsilon: 5, tau: -2 },
    ]) {
      const given: Settings = { fraction: 0.5, noiseVar: 1e3, gamma: 1, replace: false, ...settings };
      const random = seeded(5);
      const expected = new Map<string, number>();
      const found = new Map<string, number>();
      const bytes = seededBytes(6);
      for (let run = 0; run < runs; run++) {
        count(expected, literalSvt(values, plainOf(given, values.length), random).join());
        const left = filtered(values, given, bytes);
        count(found, left.flatMap((value, i) => (value === 0 ? [] : [i])).join());
      }
      // Five standard deviations of the difference of two counts.
      for (const key of new Set([...expected.keys(), ...found.keys()])) {
        const [one, other] = [expected.get(key) ?? 0, found.get(key) ?? 0];
        expect(Math.abs(one - other)).toBeLessThanOrEqual(5 * Math.sqrt(one + other) + 5);
      }
    }
  });

  it("makes no choice more likely than its part of epsilon allows, whatever the values are", () => {
    const given: Settings = { fraction: 0.5, epsilon: 3, noiseVar: 1e3, gamma: 1, tau: 0.3, replace: false };
    const runs = 2000;
    const bytes = seededBytes(9);
    const chosen = (values: readonly number[]): ReadonlyMap<string, number> => {
      const found = new Map<string, number>();
      for (let run = 0; run < runs; run++)
        count(
          found,
          filtered(values, given, bytes)
            .flatMap((value, i) => (value === 0 ? [] : [i]))
            .join(),
        );
      return found;
    };
    const [one, other] = [chosen([1, 1, 0, 0]), chosen([0, 0, 1, 1])];
    // There is an effect, and it stays in its bounds.
    expect(one.get("0,1")).toBeGreaterThan((other.get("0,1") ?? 0) + 5 * Math.sqrt(runs));
    for (const [key, times] of one) {
      const most = Math.exp(3) * (other.get(key) ?? 0);
      expect(times).toBeLessThan(most + 5 * Math.sqrt(times + Math.exp(3) * most));
    }
  });

  it("adds noise of the Laplace distribution to what leaves, around the value cut at gamma", () => {
    const values = Array.from({ length: 50_000 }, () => 7);
    const given: Settings = { fraction: 1, epsilon: 1, noiseVar: 0.5, gamma: 2, tau: 0, replace: false };
    const noise = filtered(values, given, seededBytes(4)).map((value) => value - 2);
    const scale = (2 * 2) / 0.5;
    const sorted = noise.toSorted((a, b) => a - b);
    let furthest = 0;
    for (const [i, value] of sorted.entries())
      furthest = Math.max(furthest, Math.abs(laplaceBelow(value, scale) - (i + 0.5) / values.length));
    // Kolmogorov and Smirnov: one in a thousand samples is further off.
    expect(furthest).toBeLessThan(1.95 / Math.sqrt(values.length));
  });

  it("leaves values on a grid that depends on its settings and on their number alone", () => {
    const given: Settings = { fraction: 1, epsilon: 1, noiseVar: 0.5, gamma: 2, tau: 0, replace: false };
    const values = Array.from({ length: 1000 }, (_, i) => Math.sin(i));
    for (const value of filtered(values, given, seededBytes(4))) expect(Math.abs(value % 2 ** (4 - 24))).toBe(0);
  });

  it.each([
    ["no pass would end, since no value comes near the threshold", { tau: 1000, epsilon: 1000 }, 0],
    ["all are far above it", { tau: -1000, epsilon: 1000 }, 2],
  ])("ends where %s", (_, rest, leave) => {
    const given: Settings = { fraction: 0.5, noiseVar: 1e6, gamma: 1, replace: false, ...rest };
    expect(filtered([1, -1, 1], given, seededBytes(2)).filter((value) => value !== 0)).toHaveLength(leave);
  });
});

describe("what an update costs", () => {
  it("is split as the paper says, and is FLARE's sum", () => {
    const { count: leave, threshold, query, release, total } = svtBudget({ fraction: 0.1, epsilon: 1, noiseVar: 0.1 }, 40);
    expect([leave, threshold, query, release]).toEqual([4, expect.closeTo(0.2, 12), expect.closeTo(0.8, 12), expect.closeTo(0.4, 12)]);
    expect(total).toBeCloseTo(1.4, 12);
  });

  it("has parts that were asked for", () => {
    const given = { fraction: 0.5, epsilon: 1, noiseVar: 0.1 };
    expect(svtBudget({ ...given, epsilonThreshold: 0.25 }, 8)).toMatchObject({ threshold: 0.25, query: 0.75 });
    expect(svtBudget({ ...given, epsilonQuery: 0.25 }, 8)).toMatchObject({ threshold: 0.75, query: 0.25 });
    expect(svtBudget({ ...given, epsilonRelease: 3 }, 8)).toMatchObject({ release: 3, total: expect.closeTo(4, 12) });
    expect(svtBudget(given, 0).total).toBe(0);
  });
});

function count(into: Map<string, number>, key: string): void {
  into.set(key, (into.get(key) ?? 0) + 1);
}
