import { describe, expect, it } from "vitest";
import { normalProbability } from "./complementary-error.reference.js";
import { gaussianNoise } from "./gaussian-noise.js";
import { plainNoise } from "./gaussian-noise.reference.js";
import { seededBytes } from "./sample-round.test-support.js";

function noise(count: number, randomBytes: (count: number) => Uint8Array): Float64Array {
  const into = new Float64Array(count);
  gaussianNoise(into, randomBytes);
  return into;
}

describe("gaussianNoise", () => {
  it.each([1, 2, 7, 2048, 2049, 5001])("is what the reference makes of the same bytes, for %s values", (count) => {
    const expected = plainNoise(count, seededBytes(5)(64 * Math.ceil(count / 2)));
    for (const [i, value] of noise(count, seededBytes(5)).entries()) expect(value).toBeCloseTo(expected[i] ?? Number.NaN, 13);
  });

  it("is normal: mean, variance, third and fourth moment, and the whole distribution", () => {
    const count = 100_000;
    const values = noise(count, seededBytes(6));
    const moment = (power: number): number => values.reduce((sum, value) => sum + value ** power, 0) / count;
    // Five standard deviations of each estimate, for a seed that does not change.
    expect(Math.abs(moment(1))).toBeLessThan(5 * Math.sqrt(1 / count));
    expect(Math.abs(moment(2) - 1)).toBeLessThan(5 * Math.sqrt(2 / count));
    expect(Math.abs(moment(3))).toBeLessThan(5 * Math.sqrt(15 / count));
    expect(Math.abs(moment(4) - 3)).toBeLessThan(5 * Math.sqrt(96 / count));
    const sorted = values.toSorted();
    let furthest = 0;
    for (const [i, value] of sorted.entries()) furthest = Math.max(furthest, Math.abs(normalProbability(value) - (i + 0.5) / count));
    // Kolmogorov and Smirnov: one in a thousand normal samples is further off.
    expect(furthest).toBeLessThan(1.95 / Math.sqrt(count));
  });

  it("has neighbours that know nothing of each other", () => {
    const values = noise(100_000, seededBytes(7));
    const covariance = (lag: number): number => {
      let sum = 0;
      for (let i = lag; i < values.length; i++) sum += (values[i] ?? Number.NaN) * (values[i - lag] ?? Number.NaN);
      return sum / values.length;
    };
    for (const lag of [1, 2, 3]) expect(Math.abs(covariance(lag))).toBeLessThan(5 / Math.sqrt(values.length));
  });

  it("is finite for the most extreme bytes", () => {
    const extremes = [0, 255].flatMap((byte) => [...noise(2, (count) => new Uint8Array(count).fill(byte))]);
    for (const value of extremes) expect(Math.abs(value)).toBeLessThan(20);
  });

  it("takes bytes that lie anywhere in a larger buffer", () => {
    const shifted = (count: number): Uint8Array => {
      const buffer = new Uint8Array(count + 3);
      buffer.set(seededBytes(8)(count), 3);
      return buffer.subarray(3);
    };
    expect([...noise(10, shifted)]).toEqual([...noise(10, seededBytes(8))]);
  });

  it("refuses a source that gives too few bytes", () => {
    expect(() => noise(2, () => new Uint8Array(8))).toThrow(expect.objectContaining({ code: "internal/bug" }));
  });
});
