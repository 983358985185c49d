import { describe, expect, it } from "vitest";
import { nearestWord } from "./nearest-word.js";

describe("nearestWord", () => {
  it("finds what a person most probably meant", () => {
    const words = ["deploy_map", "min_clients", "mandatory_clients", "name"];
    expect(["deploy_mapp", "min_client", "nmae", "MIN_CLIENTS"].map((word) => nearestWord(word, words))).toEqual([
      "deploy_map",
      "min_clients",
      "name",
      "min_clients",
    ]);
  });

  it("says nothing rather than something far", () => {
    expect(nearestWord("zzzzzz", ["name", "port"])).toBeUndefined();
    expect(nearestWord("name", [])).toBeUndefined();
  });

  it("takes no two words for alike because they end alike", () => {
    expect(nearestWord("SwarmController", ["DhPSIController", "CyclicController"])).toBeUndefined();
    expect(nearestWord("StatisticControler", ["DhPSIController", "StatisticsController"])).toBe("StatisticsController");
  });
});
