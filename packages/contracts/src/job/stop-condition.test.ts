import { describe, expect, it } from "vitest";
import { meetsStopCondition, parseStopCondition } from "./stop-condition.js";

describe("stop condition", () => {
  it.each([
    ["accuracy >= 80", { metric: "accuracy", comparison: ">=", value: 80 }],
    [" val_loss<1e-3 ", { metric: "val_loss", comparison: "<", value: 0.001 }],
    ["a/b.c == -.5", { metric: "a/b.c", comparison: "==", value: -0.5 }],
  ])("reads %j", (text, condition) => {
    expect(parseStopCondition(text)).toEqual(condition);
  });

  it.each(["", "accuracy", "accuracy => 1", "0.9 <= accuracy", "a >= b", "a >= 1e999", "a >= 1; b < 2", "a != 1"])(
    "does not read %j",
    (text) => {
      expect(parseStopCondition(text)).toBeUndefined();
    },
  );

  it.each([
    [">=", [false, true, true]],
    [">", [false, false, true]],
    ["==", [false, true, false]],
    ["<=", [true, true, false]],
    ["<", [true, false, false]],
  ] as const)("compares by %s", (comparison, expected) => {
    const condition = { metric: "m", comparison, value: 1 };
    expect([0, 1, 2].map((value) => meetsStopCondition(condition, value))).toEqual(expected);
  });
});
