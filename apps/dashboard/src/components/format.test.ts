import { expect, it } from "vitest";
import { count, formatAgo, formatBytes, formatDuration, formatValue } from "./format.js";

it.each([
  [0, "0 B"],
  [999, "999 B"],
  [1500, "1.5 kB"],
  [999.7, "1.0 kB"],
  [999_700, "1.0 MB"],
  [250_000_000, "250 MB"],
  [3.2e15, "3200 TB"],
])("%d bytes read %s", (bytes, text) => expect(formatBytes(bytes)).toBe(text));

it.each([
  [0, "0.0 s"],
  [1234, "1.2 s"],
  [9970, "10 s"],
  [59_700, "1 min 0 s"],
  [61_000, "1 min 1 s"],
  [7_260_000, "2 h 1 min"],
  [864_000_000, "10 days"],
])("%d ms read %s", (ms, text) => expect(formatDuration(ms)).toBe(text));

it("says how long ago and in how long", () => {
  expect(formatAgo(1000, 2000)).toBe("now");
  expect(formatAgo(0, 120_000)).toBe("2 min ago");
  expect(formatAgo(7_200_000, 0)).toBe("in 2 h");
});

it("values keep five digits and no more", () => {
  expect(formatValue(0.123456789)).toBe("0.12346");
  expect(formatValue(0.00001234)).toBe("1.234e-5");
  expect(formatValue(42)).toBe("42");
  expect(formatValue(null)).toBe("–");
  expect(count(1, "site")).toBe("1 site");
  expect(count(3, "site")).toBe("3 sites");
});
