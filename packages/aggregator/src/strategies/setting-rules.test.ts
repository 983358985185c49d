import { describe, expect, it } from "vitest";
import { choiceRule, flagRule, namesRule, numberRule, optionalNumberRule, readSettings, shownSettings } from "./setting-rules.js";

const rules = {
  rate: numberRule({ above: 0, atMost: 10 }),
  count: numberRule({ atLeast: 1, isWhole: true }, 3),
  limit: optionalNumberRule({}),
  mode: choiceRule(["fast", "slow"], "slow"),
  isOn: flagRule(false),
  names: namesRule(),
};

describe("readSettings", () => {
  it("completes what is not given", () => {
    expect(readSettings("test", rules, { rate: 1, names: undefined })).toEqual({
      rate: 1,
      count: 3,
      limit: undefined,
      mode: "slow",
      isOn: false,
      names: undefined,
    });
  });

  it("says everything that is wrong at once: setting, value and what it may be", () => {
    const wrong = { rate: 0, count: 1.5, limit: Number.NaN, mode: "quick", isOn: "yes", names: "a", counts: 2, zzzzzz: 1 };
    expect(() => readSettings("test", rules, wrong)).toThrow(
      expect.objectContaining({
        code: "aggregate/strategy-invalid",
        facts: { strategy: "test", settings: ["counts", "zzzzzz", "rate", "count", "limit", "mode", "isOn", "names"] },
        problems: [
          { path: "counts", message: 'test has no setting "counts"; did you mean "count"?' },
          { path: "zzzzzz", message: 'test has no setting "zzzzzz"; it has rate, count, limit, mode, isOn, names.' },
          { path: "rate", message: 'Setting "rate" of test is 0; it must be a number above 0 and at most 10.' },
          { path: "count", message: 'Setting "count" of test is 1.5; it must be a whole number of at least 1.' },
          { path: "limit", message: 'Setting "limit" of test is NaN; it must be a number.' },
          { path: "mode", message: 'Setting "mode" of test is "quick"; it must be "fast" or "slow".' },
          { path: "isOn", message: 'Setting "isOn" of test is "yes"; it must be true or false.' },
          {
            path: "names",
            message: 'Setting "names" of test is "a"; it must be names of tensors, on a command line with commas between them.',
          },
        ],
      }),
    );
    expect(() => readSettings("test", rules, {})).toThrow(/^Setting "rate" of test is missing; it must be a number above 0/);
  });

  it("does not take what every object has for a setting", () => {
    expect(() => readSettings("test", { constructor: numberRule({}) }, {})).toThrow(/"constructor" of test is missing/);
    expect(() => readSettings("test", {}, JSON.parse('{"__proto__": 1}') as object)).toThrow(/no setting "__proto__"; it has none/);
  });
});

describe("a rule", () => {
  it("reads what was typed, and gives back what is no such value", () => {
    expect(["0.2", "-1e-3", ".5", "5.", "", " 1", "0x10", "1,5", "Infinity", "abc"].map((text) => rules.rate.fromText(text))).toEqual([
      0.2,
      -1e-3,
      0.5,
      5,
      "",
      " 1",
      "0x10",
      "1,5",
      "Infinity",
      "abc",
    ]);
    expect(["true", "false", "yes"].map((text) => rules.isOn.fromText(text))).toEqual([true, false, "yes"]);
    expect(["a,b.c", ""].map((text) => rules.names.fromText(text))).toEqual([["a", "b.c"], []]);
    expect(rules.mode.fromText("fast")).toBe("fast");
  });
});

describe("shownSettings", () => {
  it("leaves out what has no value, and is plain JSON", () => {
    expect(shownSettings({ a: 1, b: undefined, c: ["x", "y"], d: false })).toEqual({ a: 1, c: "x,y", d: false });
  });
});
