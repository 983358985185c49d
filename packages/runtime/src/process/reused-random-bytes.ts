import { randomFillSync } from "node:crypto";

/** Cryptographic random bytes, always in the same memory: noise takes eight times as many as the update that it is for. */
export function reusedRandomBytes(): (count: number) => Uint8Array {
  let space = new Uint8Array();
  return (count) => {
    if (space.byteLength < count) space = new Uint8Array(count);
    return randomFillSync(space.subarray(0, count));
  };
}
