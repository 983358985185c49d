import { afterEach, describe, expect, it } from "vitest";
import { useSmallPools } from "./small-pools.js";

const own = Buffer.poolSize;

/** The longest memory that any of so many small buffers holds, cut from a pool that was made by now. */
function heldBy(count: number): number {
  // The pool that was there is used up first.
  for (let bytes = 0; bytes <= own; bytes += 1024) Buffer.allocUnsafe(1024);
  return Math.max(...Array.from({ length: count }, () => Buffer.allocUnsafe(100).buffer.byteLength));
}

describe("pools of small buffers", () => {
  afterEach(() => {
    Buffer.poolSize = own;
  });

  it("are so small that a buffer that stays holds some 8 KiB and no more", () => {
    useSmallPools();
    expect(heldBy(1000)).toBeLessThanOrEqual(9 * 1024);
  });
});
