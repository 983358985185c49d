import type { HierarchicalStatistics, JobStatistics, StatisticsResult } from "@flare-ts/runtime/admin";
import picocolors from "picocolors";
import { describe, expect, it } from "vitest";
import { barsText, statisticsLines } from "./statistics-lines.js";

const colors = picocolors.createColors(false);
const lines = (result: JobStatistics["result"], columns = 100): string[] => {
  const statistics: JobStatistics = { path: "statistics/adults.json", result };
  return statisticsLines(statistics, { colors, columns });
};

const age = {
  count: { "site-1": { train: 3 }, Global: { train: 10, test: 4 } },
  mean: { Global: { train: 40.5, test: 41 } },
  quantile: { Global: { train: { "0.9": 60, "0.5": 41 } } },
  histogram: {
    Global: {
      train: [
        [0, 50, 2],
        [50, 100, 8],
      ],
    },
  },
} satisfies StatisticsResult[string];

describe("what is shown of statistics", () => {
  it("is a table of features for each data set, with what all sites come to", () => {
    expect(lines({ Age: age, Weight: { count: { Global: { train: 10 } } } })).toEqual([
      "test, all sites",
      "FEATURE  COUNT     MEAN",
      "Age          4  41.0000",
      "train, all sites",
      "FEATURE  COUNT     MEAN     Q0.5     Q0.9  HISTOGRAM",
      "Age         10  40.5000  41.0000  60.0000  ▂█",
      "Weight      10        -        -        -  -",
      "  those of each site are in statistics/adults.json of a download",
    ]);
  });

  it("is the same for each group of the first level, where there are levels", () => {
    const local = (Name: string, Age: number) => ({ Name, Local: { count: { train: { Age } } } });
    const levels: HierarchicalStatistics = {
      Global: { count: { train: { Age: 9 } } },
      Countries: [
        { Name: "A\u001b[2J", Hospitals: [local("a", 4), local("b", 3)], Global: { count: { train: { Age: 7 } } } },
        local("c", 2),
      ],
    };
    expect(lines(levels)).toEqual([
      "train, all sites",
      "FEATURE  COUNT",
      "Age          9",
      expect.stringMatching(/^train, A\P{Cc}* \(Countries\)$/u),
      "FEATURE  COUNT",
      "Age          7",
      "  those of each level and site are in statistics/adults.json of a download",
    ]);
    const many = Array.from({ length: 9 }, (_, i) => ({ Name: `g${i}`, Hospitals: [local(`s${i}`, 1)], Global: levels.Global }));
    expect(lines({ Global: levels.Global, Countries: many }).at(-1)).toMatch(/^ {2}and 4 more tables; those of each level/);
  });

  it("goes on in further tables where the terminal is narrow", () => {
    const narrow = lines({ Age: age }, 30);
    expect(narrow.slice(3, -1)).toEqual([
      "train, all sites",
      "FEATURE  COUNT     MEAN",
      "Age         10  40.5000",
      "FEATURE     Q0.5     Q0.9",
      "Age      41.0000  60.0000",
      "FEATURE  HISTOGRAM",
      "Age      ▂█",
    ]);
    for (const line of narrow.slice(0, -1)) expect(line.length).toBeLessThanOrEqual(30);
  });

  it("is as much as one looks at, and steers no terminal", () => {
    const many = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`feature \u001b[2J ${i}`, age] as const));
    const shown = lines(many, 200);
    expect(shown).toContain("  and 10 more features");
    for (const line of shown) expect(line).not.toMatch(/\p{Cc}/u);
    expect(lines({})).toEqual(["no statistics of any feature; statistics/adults.json is empty"]);
    const own = lines(JSON.parse('{"__proto__": {"count": {"Global": {"constructor": 4}}}}') as StatisticsResult);
    expect(own).toContain("__proto__      4");
  });

  it("draws a histogram as high as its fullest bin, with at most 20 columns", () => {
    const bins = (counts: readonly number[]) => counts.map((count, i) => [i, i + 1, count] as const);
    expect(barsText(bins([0, 1, 4, 8]))).toBe(" ▁▄█");
    expect(barsText(bins([0, 0]))).toBe("  ");
    expect(barsText(bins(Array.from({ length: 255 }, (_, i) => i)))).toHaveLength(20);
  });
});
