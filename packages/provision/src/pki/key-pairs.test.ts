import { describe, expect, it } from "vitest";
import { beginKeyPairs } from "./key-pairs.js";

describe("many keys at once", () => {
  it("are all there and all different, in the pool and in threads of their own", async () => {
    for (const [type, threads] of [
      ["rsa-2048", 2],
      ["rsa-2048", 5],
      ["p256", 5],
    ] as const) {
      const pairs = await Promise.all(beginKeyPairs(type, 6, { threads }));
      const keys = pairs.map(({ publicKey }) => publicKey.export({ type: "spki", format: "der" }).toString("hex"));
      expect(new Set(keys).size).toBe(6);
      expect(pairs.every(({ privateKey }) => privateKey.asymmetricKeyType === (type === "p256" ? "ec" : "rsa"))).toBe(true);
    }
    expect(beginKeyPairs("rsa-2048", 0, { threads: 8 })).toEqual([]);
  });

  it("are no longer begun once the signal aborts; what is being made is still given", async () => {
    for (const threads of [2, 5]) {
      const stop = new AbortController();
      const keys = beginKeyPairs("rsa-2048", 60, { threads, signal: stop.signal });
      await Promise.any(keys);
      stop.abort(new Error("enough"));
      const outcomes = await Promise.allSettled(keys);
      expect(outcomes.filter(({ status }) => status === "fulfilled").length).toBeLessThan(60);
      expect(outcomes.at(-1)).toMatchObject({ status: "rejected", reason: { message: "enough" } });
    }
  });
});
