import { describe, expect, it } from "vitest";
import { barText } from "./progress-bar.js";
import { bytesText, durationText, metricText } from "./quantities.js";
import { tableLines } from "./table.js";

describe("text for a terminal", () => {
  it("gives bytes a unit of three digits at most", () => {
    expect([0, 999, 1000, 1500, 9949, 99_949, 999_499, 999_500, 12e9].map(bytesText)).toEqual([
      "0 B",
      "999 B",
      "1.0 kB",
      "1.5 kB",
      "9.9 kB",
      "100 kB",
      "999 kB",
      "1.0 MB",
      "12 GB",
    ]);
  });

  it("gives durations the unit that a person would", () => {
    expect([0, 54, 9994, 12_345, 245_000, 3_600_000, 11_220_000].map(durationText)).toEqual([
      "0.00 s",
      "0.05 s",
      "9.99 s",
      "12.3 s",
      "4 min 05 s",
      "1 h 00 min",
      "3 h 07 min",
    ]);
  });

  it("never rounds a small metric to zero", () => {
    expect([0.95, 0.00012, 0, 1234567, Number.NaN].map(metricText)).toEqual(["0.9500", "1.200e-4", "0.0000", "1.235e+6", "NaN"]);
  });

  it("keeps a bar within its ends", () => {
    expect([barText(0, 10, 4), barText(5, 10, 4), barText(20, 10, 4), barText(1, 0, 4)]).toEqual([
      "░░░░   0 %",
      "██░░  50 %",
      "████ 100 %",
      "░░░░   0 %",
    ]);
  });

  it("aligns the columns of a table without trailing blanks", () => {
    expect(
      tableLines(
        [{ title: "A" }, { title: "N", align: "right" }, { title: "LAST" }],
        [
          ["long", "7", ""],
          ["x", "123", "y"],
        ],
      ),
    ).toEqual(["A       N  LAST", "long    7", "x     123  y"]);
  });
});
