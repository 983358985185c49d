import { describe, expect, it } from "vitest";
import { SeenCommands } from "./seen-commands.js";

describe("the commands of a session", () => {
  it("count once each, also those whose nonces are forgotten by now", () => {
    const seen = new SeenCommands({ max: 3 });
    const commands = Array.from({ length: 10 }, (_, i) => ({ nonce: `n${i}`, issuedAtMs: 1000 + i }));
    expect(commands.map((command) => seen.isFirst(command))).not.toContain(false);
    expect(commands.map((command) => seen.isFirst(command))).not.toContain(true);
    expect(seen.isFirst({ nonce: "new", issuedAtMs: 2000 })).toBe(true);
  });
});
