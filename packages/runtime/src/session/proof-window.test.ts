import { array, assert, integer, property } from "fast-check";
import { describe, expect, it } from "vitest";
import { ProofWindow, type WindowOutcome } from "./proof-window.js";

describe("ProofWindow", () => {
  it("lets numbers through once, in any order", () => {
    const window = new ProofWindow(64);
    expect([3, 1, 2, 3, 66, 2, 3, 67, 66].map((sequence) => window.take(sequence))).toEqual([
      "new",
      "new",
      "new",
      "seen",
      "new",
      "too-old",
      "seen",
      "new",
      "seen",
    ]);
  });

  it("takes leaps as far as numbers go", () => {
    const window = new ProofWindow(64);
    expect(window.take(1)).toBe("new");
    expect(window.take(Number.MAX_SAFE_INTEGER)).toBe("new");
    expect(window.take(Number.MAX_SAFE_INTEGER)).toBe("seen");
    expect(window.take(1)).toBe("too-old");
    expect(window.take(Number.MAX_SAFE_INTEGER - 63)).toBe("new");
  });

  it("does what a set of all numbers so far would do", () => {
    const size = 32;
    assert(
      property(array(integer({ min: 1, max: 150 }), { maxLength: 200 }), (sequences) => {
        const window = new ProofWindow(size);
        const seen = new Set<number>();
        for (const sequence of sequences) {
          const highest = Math.max(0, ...seen);
          let expected: WindowOutcome = seen.has(sequence) ? "seen" : "new";
          if (sequence <= highest - size) expected = "too-old";
          expect(window.take(sequence)).toBe(expected);
          if (expected === "new") seen.add(sequence);
        }
      }),
    );
  });
});
