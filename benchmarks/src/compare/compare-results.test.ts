import { expect, it } from "vitest";
import { sampleResult } from "../result/sample-result.test-support.ts";
import { slowerEngines } from "./bench-compare.ts";
import { compareResults, judge } from "./compare-results.ts";
import { comparisonText } from "./comparison-text.ts";

const environments = { before: sampleResult().environment, after: sampleResult().environment };

it("a result compared with itself has not changed", () => {
  const comparison = compareResults(sampleResult(), sampleResult());
  expect(comparison.figures).toHaveLength(8 * 25);
  expect(new Set(comparison.figures.flatMap(({ ms, ratios }) => [ms.verdict, ratios.numpy?.verdict ?? "same"]))).toEqual(new Set(["same"]));
  expect(slowerEngines(comparison.figures, 0)).toEqual([]);
  expect(comparisonText(comparison, environments)).toContain("0 of 200 figures changed");
});

it("engines that became slower are found, and nothing else", () => {
  const { figures } = compareResults(sampleResult(), sampleResult({ engineSpeedUp: 0.5 }));
  expect(new Set(figures.filter(({ ms }) => ms.verdict === "slower").map(({ figure }) => figure.group))).toEqual(new Set(["engine"]));
  expect(slowerEngines(figures, 0.1)).toHaveLength(8 * 15);
  expect(slowerEngines(figures, 1.5)).toEqual([]);
});

it("a faster machine changes times, but not the ratios that decide", () => {
  const comparison = compareResults(sampleResult(), sampleResult({ machineSpeedUp: 0.5, cpu: "Example 4000" }));
  expect(comparison.isSameMachine).toBe(false);
  expect(comparison.figures.every(({ ms }) => ms.verdict === "slower")).toBe(true);
  expect(comparison.figures.flatMap(({ ratios }) => (ratios.numpy === undefined ? [] : [ratios.numpy.verdict]))).not.toContain("slower");
  expect(slowerEngines(comparison.figures, 0.1).filter(({ ratios }) => ratios.numpy !== undefined)).toEqual([]);
  expect(comparisonText(comparison, environments)).toContain("Other machines: times cannot be compared");
});

it("changes stand before what stayed", () => {
  const before = sampleResult();
  const after = structuredClone(before);
  const last = after.points[0]?.figures.at(-1);
  if (last === undefined) throw new Error("the sample has no figure");
  last.samplesMs = last.samplesMs.map((ms) => ms / 2);
  const lines = comparisonText(compareResults(before, after), environments).split("\n");
  expect(lines[4]).toMatch(/^8 x 25 million: engine\/cpu-wasm-fast\/fed-avg\/t2\/all .* 2\.00 x faster .* → .* faster/);
  expect(lines.at(-2)).toContain("1 of 200 figures changed");
});

it("other work is not compared", () => {
  const other = sampleResult();
  const comparison = compareResults(sampleResult(), { ...other, settings: { ...other.settings, layout: "gpt2" } });
  expect(comparison.figures).toEqual([]);
  expect(comparisonText(comparison, environments)).toContain("Nothing can be compared: layout differ.");
});

it("what only one has is named", () => {
  const before = sampleResult();
  const after = {
    ...before,
    points: before.points.map((point) => ({ ...point, figures: point.figures.filter(({ id }) => id !== "kernels/mean/fast/t1") })),
  };
  const comparison = compareResults(before, after);
  expect(comparison.onlyBefore).toHaveLength(8);
  expect(comparison.onlyAfter).toEqual([]);
  expect(comparison.onlyBefore[0]).toBe("8 x 25000000: kernels/mean/fast/t1");
});

it("says so when there are too few runs to tell", () => {
  expect(judge([10, 11, 12], [1, 2, 3], -1).verdict).toBe("too few runs");
  expect(judge([10, 11, 12, 13, 14], [1, 2, 3, 4, 5], -1).verdict).toBe("faster");
  expect(judge([10, 11, 12, 13, 14], [1, 2, 3, 4, 5], 1).verdict).toBe("slower");
  // Clear, and too small to matter.
  expect(judge([100, 100.1, 100.2, 100.3, 100.4], [101, 101.1, 101.2, 101.3, 101.4], -1).verdict).toBe("same");
});
