import { describe, expect, it } from "vitest";
import { createKeyPairs } from "./key-pairs.js";

describe("many keys at once", () => {
  it("are all there and all different, in the pool and in threads of their own", async () => {
    for (const [type, threads] of [
      ["rsa-2048", 2],
      ["rsa-2048", 5],
      ["p256", 5],
    ] as const) {
      const pairs = await createKeyPairs(type, 6, { threads });
      const keys = pairs.map(({ publicKey }) => publicKey.export({ type: "spki", format: "der" }).toString("hex"));
      expect(new Set(keys).size).toBe(6);
      expect(pairs.every(({ privateKey }) => privateKey.asymmetricKeyType === (type === "p256" ? "ec" : "rsa"))).toBe(true);
    }
    expect(await createKeyPairs("rsa-2048", 0, { threads: 8 })).toEqual([]);
  });
});
