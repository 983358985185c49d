import { describe, expect, it } from "vitest";
import { allSites, datasetsIn, statisticsTable, whoIn } from "./statistics-table.js";

const bins: [number, number, number][] = [
  [0, 50, 2],
  [50, 100, 8],
];
const result = {
  age: {
    count: { riverside: { train: 3 }, Global: { train: 10, test: 4 } },
    mean: { riverside: { train: 40 }, Global: { train: 40.5 } },
    quantile: { Global: { train: { "0.9": 60, "0.25": 31 } } },
    histogram: { Global: { train: bins } },
  },
  weight: { count: { Global: { train: 9 } } },
};

describe("a table of statistics", () => {
  it("is of one data set, of all sites or of one of them", () => {
    expect(datasetsIn(result)).toEqual(["test", "train"]);
    expect(whoIn(result)).toEqual([allSites, "riverside"]);
    expect(statisticsTable(result, { dataset: "train", who: allSites })).toEqual({
      columns: ["Count", "Mean", "25 %", "90 %"],
      hasHistograms: true,
      rows: [
        { feature: "age", cells: [10, 40.5, 31, 60], bins },
        { feature: "weight", cells: [9, null, null, null], bins: null },
      ],
    });
    expect(statisticsTable(result, { dataset: "train", who: "riverside" })).toEqual({
      columns: ["Count", "Mean"],
      hasHistograms: false,
      rows: [{ feature: "age", cells: [3, 40], bins: null }],
    });
  });

  it("takes names as they are", () => {
    const odd = JSON.parse('{"__proto__": {"count": {"Global": {"constructor": 4}}}}') as typeof result;
    expect(statisticsTable(odd, { dataset: "constructor", who: allSites }).rows).toEqual([
      { feature: "__proto__", cells: [4], bins: null },
    ]);
    expect(statisticsTable(result, { dataset: "toString", who: "valueOf" }).rows).toEqual([]);
  });
});
