import type { StatisticsGroup } from "@flare-ts/dashboard-api/contract";
import { describe, expect, it } from "vitest";
import { datasetsIn, groupTitle, statisticsTable } from "./statistics-table.js";

const bins: [number, number, number][] = [
  [0, 50, 2],
  [50, 100, 8],
];
const all: StatisticsGroup = {
  names: [],
  level: null,
  isSite: false,
  statistics: {
    count: { train: { age: 10, weight: 9 }, test: { age: 4 } },
    mean: { train: { age: 40.5 } },
    quantile: { train: { age: { "0.9": 60, "0.25": 31 } } },
    histogram: { train: { age: bins } },
  },
};
const riverside: StatisticsGroup = {
  names: ["north", "riverside"],
  level: "hospitals",
  isSite: true,
  statistics: { count: { train: { age: 3 } }, mean: { train: { age: 40 } } },
};

describe("a table of statistics", () => {
  it("is of one data set, of all sites, a group or one of them", () => {
    expect(datasetsIn([all, riverside])).toEqual(["test", "train"]);
    expect([all, riverside].map(groupTitle)).toEqual(["All sites", "north / riverside"]);
    expect(statisticsTable(all.statistics, "train")).toEqual({
      columns: ["Count", "Mean", "25 %", "90 %"],
      hasHistograms: true,
      rows: [
        { feature: "age", cells: [10, 40.5, 31, 60], bins },
        { feature: "weight", cells: [9, null, null, null], bins: null },
      ],
    });
    expect(statisticsTable(riverside.statistics, "train")).toEqual({
      columns: ["Count", "Mean"],
      hasHistograms: false,
      rows: [{ feature: "age", cells: [3, 40], bins: null }],
    });
  });

  it("takes names as they are", () => {
    const odd = JSON.parse('{"count": {"constructor": {"__proto__": 4}}}') as StatisticsGroup["statistics"];
    expect(statisticsTable(odd, "constructor").rows).toEqual([{ feature: "__proto__", cells: [4], bins: null }]);
    expect(statisticsTable(all.statistics, "toString").rows).toEqual([]);
  });
});
