import { describe, expect, it } from "vitest";
import { addDataset, gpuGroups, logLevel, nameList } from "./simulator-arguments.js";

describe("the arguments of flare simulator", () => {
  it.each([
    ["0", ["0"]],
    ["0,1", ["0", "1"]],
    ["0, 0", ["0", "0"]],
    ["[0,1],[2, 3]", ["0,1", "2,3"]],
    ["[0,1],2", ["0,1", "2"]],
    ["GPU-8f6a,MIG-1/2", ["GPU-8f6a", "MIG-1/2"]],
  ])("reads the GPUs %s", (text, groups) => expect(gpuGroups(text)).toEqual(groups));

  it.each(["", ",", "0,", "[0", "[]", "[0]1", "[[0]]"])("refuses the GPUs '%s'", (text) => {
    expect(() => gpuGroups(text)).toThrow("GPUs are written as");
  });

  it("reads names as FLARE writes them", () => expect(nameList("north, south,,east")).toEqual(["north", "south", "east"]));

  it.each([
    ["WARNING", "warn"],
    ["verbose", "debug"],
    ["concise", "info"],
    ["40", "error"],
  ])("takes %s for the level %s", (text, level) => expect(logLevel(text)).toBe(level));

  it.each(["loud", "log_config.json", "constructor"])("refuses to log by '%s'", (text) => {
    expect(() => logLevel(text)).toThrow("logging files of Python are not read");
  });

  it("collects data sets, each once", () => {
    const one = addDataset("patients=data/{site}.csv");
    expect(addDataset("images=/data/a=b", one)).toEqual([
      { name: "patients", path: "data/{site}.csv" },
      { name: "images", path: "/data/a=b" },
    ]);
    expect(() => addDataset("patients=other.csv", one)).toThrow("given twice");
    expect(() => addDataset("patients")).toThrow("name=path");
  });
});
