import { describe, expect, it } from "vitest";
import { clipLine } from "./clip-line.js";

const red = (text: string): string => `\u001b[31m${text}\u001b[39m`;

describe("clipLine", () => {
  it("leaves a line alone that fits, colours not counted", () => {
    expect(clipLine("12345", 5)).toBe("12345");
    expect(clipLine(red("12345"), 5)).toBe(red("12345"));
  });

  it("cuts a line that does not fit, and ends its colours", () => {
    expect(clipLine("123456", 5)).toBe("1234…");
    expect(clipLine(`12${red("3456")}7`, 5)).toBe(`12${red("34…")}`);
  });
});
