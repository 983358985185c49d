import { limits } from "@flare-ts/contracts";
import { describe, expect, it } from "vitest";
import { backoffMs } from "./backoff.js";

describe("the wait before a site tries again", () => {
  it("doubles up to the limit", () => {
    expect([0, 1, 2, 3].map((attempt) => backoffMs(attempt, 0))).toEqual([50, 100, 200, 400]);
    expect(backoffMs(1000, 0)).toBe(limits.reconnectMaxMs / 2);
  });

  it("is spread over the upper half of its ceiling", () => {
    expect(backoffMs(2, 0.5)).toBe(300);
    expect(backoffMs(1000, 0.999_999)).toBeLessThan(limits.reconnectMaxMs);
  });
});
