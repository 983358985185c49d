import { describe, expect, it } from "vitest";
import { durationMs, durationSchema } from "./duration-schema.js";

describe("a duration text", () => {
  it.each([
    ["30s", 30_000],
    ["5m", 300_000],
    ["36h", 129_600_000],
    ["90d", 7_776_000_000],
    ["2w", 1_209_600_000],
    ["10y", 315_360_000_000],
    ["0d", 0],
  ])("%s is so many milliseconds", (text, ms) => {
    expect(durationMs(text)).toBe(ms);
  });

  it.each(["", "5", "m", "5 m", "-5m", "1.5h", "5M", "5min", "9999999999d", "5m\n"])("is not %j", (text) => {
    expect(durationMs(text)).toBeUndefined();
  });

  it("lies within its limits, both of which are in", () => {
    const schema = durationSchema("5m", "1d");
    expect(["4m", "5m", "24h", "25h", 300, null].map((value) => schema.safeParse(value).success)).toEqual([
      false,
      true,
      true,
      false,
      false,
      false,
    ]);
    expect(schema.parse("24h")).toBe(86_400_000);
  });
});
