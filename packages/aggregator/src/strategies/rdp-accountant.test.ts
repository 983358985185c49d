import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { logErfc } from "./complementary-error.reference.js";
import { defaultOrders, epsilonFor, epsilonOf, rdpOfSampledGaussian } from "./rdp-accountant.js";
import { exactGaussianDelta, momentByIntegral, momentBySeries, olderEpsilon } from "./rdp-accountant.reference.js";
import { sampledGaussianMoment } from "./sampled-gaussian-moment.js";

function relativeError(value: number, expected: number): number {
  return Math.abs(value / expected - 1);
}

describe("rdpOfSampledGaussian", () => {
  it("is α / 2σ² for each round in which all take part", () => {
    const orders = [1.5, 2, 20];
    expect(rdpOfSampledGaussian({ samplingRate: 1, noiseMultiplier: 10, steps: 1, orders })).toEqual([0.0075, 0.01, 0.1]);
    expect(rdpOfSampledGaussian({ samplingRate: 1, noiseMultiplier: 2, steps: 8, orders })).toEqual([1.5, 2, 20]);
  });

  it("comes near that as the rate comes near 1", () => {
    for (const order of [1.3, 2, 7.5, 30]) {
      const expected = order / (2 * 1.5 ** 2);
      const [rdp = Number.NaN] = rdpOfSampledGaussian({ samplingRate: 1 - 1e-9, noiseMultiplier: 1.5, steps: 1, orders: [order] });
      expect(relativeError(rdp, expected)).toBeLessThan(1e-6);
    }
  });

  it("is 0 without rounds and without anybody", () => {
    expect(rdpOfSampledGaussian({ samplingRate: 0, noiseMultiplier: 1, steps: 9, orders: [2] })).toEqual([0]);
    expect(rdpOfSampledGaussian({ samplingRate: 0.5, noiseMultiplier: 1, steps: 0, orders: [2] })).toEqual([0]);
  });

  it.each([
    [0.5, 2, 32.5],
    [0.1, 1, 5],
    [0.01, 1, 2],
    [0.01, 2.5, 8],
    [0.3, 0.7, 3.7],
    [0.9, 4, 1.1],
    [0.2, 1.1, 1.5],
  ])("is the integral of the definition for q = %s, σ = %s, α = %s", (q, sigma, order) => {
    // The plain integral loses what is below 1e-15 of 1.
    expect(Math.abs(sampledGaussianMoment(q, sigma, order) - momentByIntegral(q, sigma, order))).toBeLessThan(
      1e-12 * Math.max(1, momentByIntegral(q, sigma, order)),
    );
  });

  it.each([
    [0.5, 2, 32.5],
    [0.1, 1, 4.9],
    [0.01, 1.1, 2.5],
    [0.3, 0.7, 3.7],
    [0.05, 0.5, 10.9],
    [0.2, 3, 1.75],
    [0.999, 0.3, 5.5],
  ])("is the paper's series for q = %s, σ = %s, α = %s", (q, sigma, order) => {
    const expected = momentBySeries(q, sigma, order);
    expect(Math.abs(sampledGaussianMoment(q, sigma, order) - expected)).toBeLessThan(1e-11 * Math.max(1, expected));
  });

  it("keeps its digits where the loss is tiny", () => {
    // To first order in q² it is q² α / 2 · (exp(1/σ²) - 1).
    for (const order of [1.5, 2, 9.7, 40]) {
      const [rdp = Number.NaN] = rdpOfSampledGaussian({ samplingRate: 1e-9, noiseMultiplier: 5, steps: 1, orders: [order] });
      expect(relativeError(rdp, 1e-18 * (order / 2) * Math.expm1(1 / 25))).toBeLessThan(1e-6);
    }
  });

  it("has no jump between whole orders and those next to them", () => {
    for (const [q, sigma] of [
      [0.01, 1],
      [0.3, 0.5],
      [0.7, 3],
      [1e-4, 0.15],
    ] as const) {
      for (const order of [2, 3, 10]) {
        const [below = Number.NaN, at = Number.NaN, above = Number.NaN] = [order - 1e-6, order, order + 1e-6].map((each) =>
          sampledGaussianMoment(q, sigma, each),
        );
        expect(relativeError((below + above) / 2, at)).toBeLessThan(1e-9);
      }
    }
  });

  it("gives the values that TensorFlow Privacy's tests expect", () => {
    const [scalar = Number.NaN] = rdpOfSampledGaussian({ samplingRate: 0.1, noiseMultiplier: 2, steps: 10, orders: [5] });
    expect(Math.abs(scalar - 0.07737)).toBeLessThan(1e-5);
    const rdp = rdpOfSampledGaussian({ samplingRate: 0.01, noiseMultiplier: 2.5, steps: 50, orders: [1.5, 2.5, 5, 50, 100] });
    for (const [i, expected] of [0.00065, 0.001085, 0.00218075, 0.023846, 167.416307].entries()) {
      expect(Math.abs((rdp[i] ?? Number.NaN) - expected)).toBeLessThan(1e-5);
    }
  });

  it("grows with the rate, and takes it as 1 for hardly any noise", () => {
    const at = (samplingRate: number, noiseMultiplier: number) =>
      rdpOfSampledGaussian({ samplingRate, noiseMultiplier, steps: 1, orders: [1.1, 2, 6.5, 64] });
    for (const sigma of [0.1, 0.5, 2]) {
      const losses = [0.001, 0.1, 0.5, 0.9, 1].map((rate) => at(rate, sigma));
      for (const [i, loss] of losses.slice(1).entries()) {
        for (const [o, value] of loss.entries()) expect(value).toBeGreaterThan(losses[i]?.[o] ?? Number.NaN);
      }
    }
    expect(at(0.01, 0.05)).toEqual(at(1, 0.05));
  });

  it.each([{ samplingRate: 1.1 }, { samplingRate: -0.1 }, { noiseMultiplier: 0 }, { steps: 1.5 }, { steps: -1 }])("refuses %o", (wrong) => {
    expect(() => rdpOfSampledGaussian({ samplingRate: 0.1, noiseMultiplier: 1, steps: 1, ...wrong })).toThrow(
      expect.objectContaining({ code: "aggregate/strategy-invalid", message: expect.stringContaining(`"${Object.keys(wrong)[0]}"`) }),
    );
  });

  it("refuses an order of 1", () => {
    expect(() => rdpOfSampledGaussian({ samplingRate: 0.1, noiseMultiplier: 1, steps: 1, orders: [1] })).toThrow(
      expect.objectContaining({ code: "aggregate/strategy-invalid", message: expect.stringContaining('"order" of the accountant is 1') }),
    );
  });
});

describe("epsilonOf", () => {
  it("is never above the older conversion, and never below the exact ε of one Gaussian mechanism", () => {
    for (const sigma of [0.5, 1, 3, 10]) {
      for (const delta of [1e-3, 1e-5, 1e-8]) {
        const rdp = rdpOfSampledGaussian({ samplingRate: 1, noiseMultiplier: sigma, steps: 1 });
        const epsilon = epsilonOf({ rdp, orders: defaultOrders, delta });
        expect(epsilon).toBeLessThanOrEqual(olderEpsilon(rdp, defaultOrders, delta));
        expect(exactGaussianDelta(sigma, epsilon)).toBeLessThanOrEqual(delta);
        // It is an upper bound, but not a loose one.
        expect(exactGaussianDelta(sigma, 0.8 * epsilon - 0.1)).toBeGreaterThan(delta);
      }
    }
  });

  it("gives the values of published software, with the conversion that it used", () => {
    const composed = (older: boolean, runs: readonly (readonly [number, number, number])[], orders: readonly number[], delta: number) => {
      const each = runs.map(([samplingRate, noiseMultiplier, steps]) =>
        rdpOfSampledGaussian({ samplingRate, noiseMultiplier, steps, orders }),
      );
      const rdp = orders.map((_, i) => each.reduce((sum, one) => sum + (one[i] ?? Number.NaN), 0));
      return older ? olderEpsilon(rdp, orders, delta) : epsilonOf({ rdp, orders, delta });
    };
    // Tests of TensorFlow Privacy.
    const whole = Array.from({ length: 31 }, (_, i) => i + 2);
    const sparse = [1.25, 1.5, 1.75, 2, 2.5, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 28, 32, 64, 256];
    const two = [
      [1e-4, 0.4, 40_000],
      [0.1, 2, 100],
    ] as const;
    const steps = (epochs: number): number => Math.floor((epochs * 60_000) / 256);
    const mnist = (sigma: number, epochs: number) => [[256 / 60_000, sigma, steps(epochs)]] as const;
    const published = [
      { runs: [[0.01, 4, 10_000]] as const, orders: whole, epsilon: 1.258575, within: 1e-6 },
      { runs: two, orders: sparse, epsilon: 8.509656, within: 1e-6 },
      // Its tutorials on MNIST, batches of 256 of 60000, which give two digits.
      { runs: mnist(1.12, 60), orders: defaultOrders, epsilon: 2.92, within: 0.005 },
      { runs: mnist(1.1, 60), orders: defaultOrders, epsilon: 3.01, within: 0.005 },
      { runs: mnist(1.2, 10), orders: defaultOrders, epsilon: 1.2, within: 0.005 },
      { runs: mnist(0.6, 30), orders: defaultOrders, epsilon: 9.74, within: 0.02 },
    ];
    for (const { runs, orders, epsilon, within } of published) {
      expect(Math.abs(composed(true, runs, orders, 1e-5) - epsilon)).toBeLessThan(within);
      expect(composed(false, runs, orders, 1e-5)).toBeLessThan(epsilon);
    }
  });

  it("is what epsilonFor gives in one call", () => {
    const mechanism = { samplingRate: 0.2, noiseMultiplier: 1.3, steps: 100 };
    const rdp = rdpOfSampledGaussian(mechanism);
    expect(epsilonFor({ ...mechanism, delta: 1e-6 })).toBe(epsilonOf({ rdp, orders: defaultOrders, delta: 1e-6 }));
  });

  it("is 0 at least, and infinite without an order", () => {
    expect(epsilonOf({ rdp: [0], orders: [2], delta: 0.9 })).toBe(0);
    expect(epsilonOf({ rdp: [], orders: [], delta: 1e-5 })).toBe(Number.POSITIVE_INFINITY);
  });

  it.each([0, 1, -1, Number.NaN])("refuses δ = %s", (delta) => {
    expect(() => epsilonOf({ rdp: [1], orders: [2], delta })).toThrow(expect.objectContaining({ code: "aggregate/strategy-invalid" }));
  });
});

describe("docs/strategies.md", () => {
  it("has the values that come out", async () => {
    const page = await readFile(new URL("../../../../docs/strategies.md", import.meta.url), "utf8");
    const epsilon = (noiseMultiplier: number, steps: number): string =>
      epsilonFor({ samplingRate: 1, noiseMultiplier, steps, delta: 1e-5 }).toFixed(2);
    const rows = [...page.matchAll(/^\| `noiseMultiplier` (\d+) \| (.*) \|$/gm)];
    expect(rows).toHaveLength(4);
    for (const [, noise = "", cells = ""] of rows) {
      expect(cells.split(" | ")).toEqual([1, 10, 50, 100].map((steps) => epsilon(Number(noise), steps)));
    }
    expect(page).toContain(`noiseMultiplier: 5, steps: 20, delta: 1e-5 }); // ${epsilon(5, 20)}`);
  });
});

describe("logErfc, which references lean on", () => {
  it("has the values of the tables", () => {
    for (const [x, erfc] of [
      [0, 1],
      [0.5, 0.4795001221869535],
      [1, 0.15729920705028513],
      [1.9999, 0.0046798],
      [3, 2.209049699858544e-5],
      [5, 1.5374597944280349e-12],
      [-1, 1.8427007929497148],
      [20, 5.395865611607901e-176],
    ] as const) {
      expect(relativeError(Math.exp(logErfc(x)), erfc)).toBeLessThan(x === 1.9999 ? 1e-4 : 1e-12);
    }
  });
});
