import { describe, expect, it } from "vitest";
import { limits } from "./limits.js";

describe("limits", () => {
  it("cannot be changed, and are positive whole numbers", () => {
    expect(Object.isFrozen(limits)).toBe(true);
    expect(Object.entries(limits).filter(([, value]) => !Number.isSafeInteger(value) || value <= 0)).toEqual([]);
  });

  it("fit together", () => {
    expect(limits.chunkBytes).toBeLessThan(limits.http2WindowBytes);
    expect(limits.checkpointBytes % limits.chunkBytes).toBe(0);
    expect(limits.heartbeatMs * 2).toBeLessThan(limits.silenceMs);
    expect(limits.silenceMs).toBeLessThan(limits.stallMs);
    expect(limits.reconnectFirstMs).toBeLessThan(limits.reconnectMaxMs);
    expect(limits.registrationMs).toBeLessThan(limits.tokenMs);
  });
});
